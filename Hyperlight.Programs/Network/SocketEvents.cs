namespace Hyperlight.Programs.Network;

/// <summary>What holds of a connection: events of <c>poll</c> in Linux, and one more bit.</summary>
[Flags]
internal enum SocketEvents
{
    None = 0,
    Input = 0x01,
    Output = 0x04,
    Error = 0x08,
    HangUp = 0x10,
    InputEnd = 0x2000,

    /// <summary>It is connected. Not an event of <c>poll</c>.</summary>
    Connected = 0x10000,
}
