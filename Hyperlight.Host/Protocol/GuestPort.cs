namespace Hyperlight.Host.Protocol;

/// <summary>The I/O ports of the guest ABI. A guest reaches its host by OUT alone.</summary>
internal static class GuestPort
{
    /// <summary>A log record is on the output buffer.</summary>
    public const ushort Log = 99;

    /// <summary>A host function call is on the output buffer.</summary>
    public const ushort CallFunction = 101;

    /// <summary>Bytes of an abort message.</summary>
    public const ushort Abort = 102;

    /// <summary>One character for the host's debug output.</summary>
    public const ushort DebugPrint = 103;

    /// <summary>The period of the guest's timer in microseconds, 0 for none.</summary>
    public const ushort Timer = 107;

    /// <summary>The guest has finished what it was entered for.</summary>
    public const ushort Halt = 108;
}
