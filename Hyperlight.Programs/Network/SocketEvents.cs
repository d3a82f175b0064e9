namespace Hyperlight.Programs.Network;

/// <summary>What holds of a connection: events of <c>poll</c> in Linux, and more above them.</summary>
[Flags]
internal enum SocketEvents
{
    None = 0,
    Input = 0x01,
    Output = 0x04,
    Error = 0x08,
    HangUp = 0x10,
    InputEnd = 0x2000,

    /// <summary>All events of <c>poll</c>.</summary>
    OfPoll = 0xFFFF,

    /// <summary>It is connected.</summary>
    Connected = 0x10000,

    /// <summary>A number that counts arrivals of bytes: more of them are a change, although the other events are the same.</summary>
    Arrivals = 0x7FFE_0000,
}
