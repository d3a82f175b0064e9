using System.Net;
using Hyperlight.Programs.Network;

namespace Hyperlight.Programs;

/// <summary>Where a program may connect to over TCP. The host connects for it. Immutable.</summary>
public sealed record ProgramNetwork
{
    /// <summary>
    /// The destinations, as <c>HOST:PORT</c>: a name (<c>api.example.com:443</c>), or an address (<c>10.0.0.5:5432</c>, <c>[2001:db8::1]:80</c>). A
    /// name never leads to a private, local or otherwise special address; an address that is stated is allowed, whatever it is. Default: none.
    /// </summary>
    /// <exception cref="ArgumentException">One of them is not such a destination, or there are more than 1,000.</exception>
    public IReadOnlyList<string> AllowedHosts
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            string[] hosts = [.. value];
            Rules = NetworkRules.Parse(hosts, nameof(value));
            field = hosts;
        }
    } = [];

    /// <summary>The most connections at the same time, 1 to 256. Default: 32.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not in this range.</exception>
    public int MaximumConnections
    {
        get;
        init => field = value is >= 1 and <= 256 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "It is not from 1 to 256.");
    } = 32;

    /// <summary>The most bytes of one run, in both directions together. What exceeds them is ECONNRESET. Default: 256 MiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public long MaximumBytes
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "It is negative.");
    } = 256L << 20;

    /// <summary>How long a connection may take until it is made, up to a day. Default: 30 seconds.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive, or more than a day.</exception>
    public TimeSpan ConnectTimeout
    {
        get;
        init => field = value > TimeSpan.Zero && value <= TimeSpan.FromDays(1)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "It is not positive, or more than a day.");
    } = TimeSpan.FromSeconds(30);

    /// <summary>Finds the addresses of a name. Tests have others.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    internal NetworkRules Rules { get; private init; } = NetworkRules.Parse([], "");
}
