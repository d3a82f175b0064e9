using System.Net.Sockets;

namespace Hyperlight.Programs.Network;

/// <summary>Error numbers of Linux, with a minus sign.</summary>
internal static class NetworkError
{
    public const int NoAccess = -13;
    public const int InvalidArgument = -22;
    public const int TooManyFiles = -24;

    /// <summary>The number of a socket's error.</summary>
    public static int Of(SocketError error) => error switch
    {
        SocketError.AccessDenied => NoAccess,
        SocketError.NetworkUnreachable => -101,
        SocketError.ConnectionReset => -104,
        SocketError.ConnectionAborted => -103,
        SocketError.Shutdown => -32,
        SocketError.TimedOut => -110,
        SocketError.ConnectionRefused => -111,
        _ => -113, // EHOSTUNREACH
    };
}
