using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Hyperlight.Programs.Network;

/// <summary>
/// The destinations that a program may connect to. A name has an address for the program, of a range that is not used elsewhere: the host
/// resolves the name when the program connects to it.
/// </summary>
internal sealed class NetworkRules
{
    private const int MostRules = 1000;

    /// <summary>Addresses of names: the range for tests of networks, which leads nowhere.</summary>
    private static readonly IPNetwork NameAddresses = IPNetwork.Parse("198.18.0.0/15");

    /// <summary>A program finds itself there.</summary>
    private static readonly string[] OwnNames = ["localhost", "hyperlight"];

    private readonly Dictionary<IPEndPoint, string?> _destinations = [];
    private readonly StringBuilder _hosts = new("127.0.0.1\tlocalhost hyperlight\n::1\tlocalhost\n");

    private NetworkRules()
    {
    }

    /// <summary>The file in which a program finds the names.</summary>
    public ReadOnlyMemory<byte> HostsFile { get; private set; }

    /// <summary>Whether nothing is allowed.</summary>
    public bool IsEmpty => _destinations.Count == 0;

    /// <exception cref="ArgumentException">One of them is not a destination, or there are too many.</exception>
    public static NetworkRules Parse(IReadOnlyList<string> hosts, string parameter)
    {
        if (hosts.Count > MostRules)
        {
            throw new ArgumentException($"There are more than {MostRules} destinations.", parameter);
        }

        var rules = new NetworkRules();
        var names = new Dictionary<string, IPAddress>(StringComparer.OrdinalIgnoreCase);
        foreach (string host in hosts)
        {
            rules.Add(host, names, parameter);
        }

        rules.HostsFile = Encoding.ASCII.GetBytes(rules._hosts.ToString());
        return rules;
    }

    /// <summary>Whether the program may connect to an endpoint, as it states it.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="name">The name that the endpoint stands for; <see langword="null"/> for itself.</param>
    public bool Allows(IPEndPoint endpoint, out string? name) => _destinations.TryGetValue(endpoint, out name);

    /// <summary>An address of IPv4 that is written as one of IPv6 is that of IPv4.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static bool IsName(string name) =>
        name.Length is > 0 and <= 253 && !name.All(static character => char.IsAsciiDigit(character) || character == '.')
        && Array.TrueForAll(name.Split('.'), static label => label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-'
            && label.All(static character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_'));

    private void Add(string host, Dictionary<string, IPAddress> names, string parameter)
    {
        int colon = host?.LastIndexOf(':') ?? throw new ArgumentException("A destination is null.", parameter);
        string name = colon > 0 ? host[..colon] : "";
        if (!ushort.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0 || name.Length == 0)
        {
            throw new ArgumentException($"'{host}' is not HOST:PORT with a port from 1 to 65535.", parameter);
        }

        if (AddressOf(name) is { } address)
        {
            if (NameAddresses.Contains(address))
            {
                throw new ArgumentException($"'{host}' is in {NameAddresses}, whose addresses stand for names.", parameter);
            }

            _destinations[new IPEndPoint(address, port)] = null;
        }
        else if (IsName(name) && !IPAddress.TryParse(name, out _))
        {
            _destinations[new IPEndPoint(AddressOfName(name, names, parameter), port)] = name;
        }
        else
        {
            throw new ArgumentException($"'{host}' is neither a name nor an address with a port; IPv6 addresses are in brackets.", parameter);
        }
    }

    /// <summary>Addresses in their usual notation alone, so that no two notations are two destinations. IPv6 is in brackets.</summary>
    private static IPAddress? AddressOf(string text)
    {
        bool isBracketed = text.Length > 2 && text[0] == '[' && text[^1] == ']';
        if (!IPAddress.TryParse(isBracketed ? text[1..^1] : text, out IPAddress? address))
        {
            return null;
        }

        bool isUsual = isBracketed
            ? address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId == 0
            : address.AddressFamily == AddressFamily.InterNetwork && address.ToString() == text;
        return isUsual ? Plain(address) : null;
    }

    private IPAddress AddressOfName(string name, Dictionary<string, IPAddress> names, string parameter)
    {
        if (OwnNames.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            throw new ArgumentException($"'{name}' is the program's own name. State an address, such as 127.0.0.1.", parameter);
        }

        if (!names.TryGetValue(name, out IPAddress? address))
        {
            byte[] bytes = NameAddresses.BaseAddress.GetAddressBytes();
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)(names.Count + 1));
            address = new IPAddress(bytes);
            names.Add(name, address);
            _hosts.Append(address).Append('\t').Append(name).Append('\n');
        }

        return address;
    }
}
