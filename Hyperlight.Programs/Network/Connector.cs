using System.Net;
using System.Net.Sockets;

namespace Hyperlight.Programs.Network;

/// <summary>Makes a connection. The addresses of a name are resolved here, and those that are checked are those that are connected to.</summary>
internal sealed class Connector(IPEndPoint endpoint, string? name, TimeSpan timeout)
{
    /// <exception cref="SocketException">There is no connection.</exception>
    public async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(timeout);
        try
        {
            IPAddress[] addresses = name is null ? [endpoint.Address] : await ResolveAsync(name, end.Token).ConfigureAwait(false);
            var failure = new SocketException((int)SocketError.AccessDenied);
            foreach (IPAddress address in addresses)
            {
                var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    await socket.ConnectAsync(new IPEndPoint(address, endpoint.Port), end.Token).ConfigureAwait(false);
                    return socket;
                }
                catch (SocketException exception)
                {
                    failure = exception;
                    socket.Dispose();
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            }

            throw failure;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SocketException((int)SocketError.TimedOut);
        }
    }

    private static async Task<IPAddress[]> ResolveAsync(string name, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(name, cancellationToken).ConfigureAwait(false);
        return Array.FindAll(addresses, static address => !SpecialAddress.Is(address));
    }
}
