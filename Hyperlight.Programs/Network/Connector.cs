using System.Net;
using System.Net.Sockets;

namespace Hyperlight.Programs.Network;

/// <summary>Makes a connection. A name is resolved here, once, and the addresses that are checked are those that are connected to.</summary>
/// <param name="network">What is allowed.</param>
/// <param name="lookups">The lookups of the run.</param>
/// <param name="endpoint">Where the program connects to.</param>
/// <param name="name">The name that the endpoint stands for; <see langword="null"/> for itself.</param>
internal sealed class Connector(ProgramNetwork network, NameLookups lookups, IPEndPoint endpoint, string? name)
{
    /// <summary>Of a name with many addresses, some are tried.</summary>
    private const int MostAddresses = 8;

    /// <exception cref="SocketException">There is no connection.</exception>
    public async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(network.ConnectTimeout);
        try
        {
            IReadOnlyList<IPAddress> addresses = name is null ? [endpoint.Address] : await ResolveAsync(name, end.Token).ConfigureAwait(false);
            return await ConnectAsync(addresses, end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SocketException((int)SocketError.TimedOut);
        }
    }

    private async Task<Socket> ConnectAsync(IReadOnlyList<IPAddress> addresses, CancellationToken cancellationToken)
    {
        // What is left if all addresses of a name are refused.
        var failure = new SocketException((int)SocketError.AccessDenied);
        for (int i = 0; i < addresses.Count; i++)
        {
            // An address that does not answer leaves time for the others.
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            end.CancelAfter(network.ConnectTimeout / addresses.Count);
            try
            {
                return await ConnectAsync(addresses[i], end.Token).ConfigureAwait(false);
            }
            catch (SocketException exception)
            {
                failure = exception;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                failure = new SocketException((int)SocketError.TimedOut);
            }
        }

        throw failure;
    }

    private async Task<Socket> ConnectAsync(IPAddress address, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, endpoint.Port), cancellationToken).ConfigureAwait(false);

            // A connection that is made while it is cancelled can be reported as made, and its socket is closed.
            cancellationToken.ThrowIfCancellationRequested();
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = await lookups.ResolveAsync(network, host, cancellationToken).ConfigureAwait(false);
        return [.. addresses.Select(NetworkRules.Plain).Where(IsAllowed).Distinct().Take(MostAddresses)];
    }

    /// <summary>A name leads to a special address, or to the host, only if this address is allowed itself.</summary>
    private bool IsAllowed(IPAddress address) =>
        !(SpecialAddress.Is(address) || OwnAddress.Is(address)) || (network.Rules.Allows(new IPEndPoint(address, endpoint.Port), out string? other) && other is null);
}
