using System.Net;
using System.Net.Sockets;

namespace Hyperlight.Programs.Network;

/// <summary>Addresses of the host itself, of which the public ones are in no list.</summary>
internal static class OwnAddress
{
    private const int DiscardPort = 9;

    /// <summary>Whether an address is one of the host. Nothing is sent.</summary>
    public static bool Is(IPAddress address)
    {
        try
        {
            // The system chooses the address from which it would send there: to itself, it is the same.
            using var probe = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(address, DiscardPort);
            return ((IPEndPoint)probe.LocalEndPoint!).Address.Equals(address);
        }
        catch (SocketException)
        {
            // There is no way to it, which the connection will find out.
            return false;
        }
    }
}
