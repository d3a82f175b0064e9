using System.Net.Sockets;

namespace Hyperlight.Programs.Network;

/// <summary>Error numbers of Linux, with a minus sign.</summary>
internal static class NetworkError
{
    public const int Again = -11;
    public const int NoAccess = -13;
    public const int InvalidArgument = -22;
    public const int BrokenPipe = -32;
    public const int AddressNotAvailable = -99;
    public const int NetworkUnreachable = -101;
    public const int ConnectionAborted = -103;
    public const int ConnectionReset = -104;
    public const int TimedOut = -110;
    public const int ConnectionRefused = -111;
    public const int HostUnreachable = -113;

    /// <summary>The number of a socket's error. What says something about the host alone is an unreachable destination for the program.</summary>
    public static int Of(SocketError error) => error switch
    {
        SocketError.AccessDenied => NoAccess,
        SocketError.NetworkUnreachable => NetworkUnreachable,
        SocketError.ConnectionReset => ConnectionReset,
        SocketError.ConnectionAborted => ConnectionAborted,
        SocketError.Shutdown => BrokenPipe,
        SocketError.TimedOut => TimedOut,
        SocketError.ConnectionRefused => ConnectionRefused,
        _ => HostUnreachable,
    };
}
