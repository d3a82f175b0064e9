using System.Net;
using System.Net.Sockets;

namespace Hyperlight.Programs.Network;

/// <summary>Addresses of the host itself, of which the public ones are in no list.</summary>
internal static class OwnAddress
{
    private const int DiscardPort = 9;

    /// <summary>Whether an address is one of the host, or may be one, because that cannot be found out. Nothing is sent.</summary>
    public static bool Is(IPAddress address)
    {
        try
        {
            // The system chooses the address from which it would send there: to itself, it is the same.
            using var probe = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(address, DiscardPort);
            return ((IPEndPoint)probe.LocalEndPoint!).Address.Equals(address);
        }
        catch (SocketException exception)
        {
            // Without a way to it, it is none of them, and the connection will find that out. All else, such as a lack of descriptors, says nothing.
            return exception.SocketErrorCode is not (SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.AddressFamilyNotSupported);
        }
    }
}
