namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>An exception, as its handler sees it.</summary>
/// <param name="Vector">Which.</param>
/// <param name="Error">The error code, 0 where there is none.</param>
/// <param name="Cr2">The address of a page fault.</param>
internal readonly record struct Fault(int Vector, ulong Error, ulong Cr2)
{
    public const int GeneralProtection = 13;
    public const int PageFault = 14;

    private const ulong PresentBit = 1;
    private const ulong UserBit = 4;
    private const ulong LastUserAddress = 0x7FFF_FFFF_EFFF;

    public static bool HasErrorCode(int vector) => vector is 8 or (>= 10 and <= 14) or 17 or 21;

    /// <summary>
    /// What can be compared of a page fault: the guest is not in user mode, and Linux says of addresses that no
    /// program can have that they are present.
    /// </summary>
    public Fault Comparable() => Vector == PageFault
        ? this with { Error = (Error | UserBit) & (Cr2 > LastUserAddress ? ~PresentBit : ulong.MaxValue) }
        : this;

    public override string ToString() => $"exception {Vector}, error code 0x{Error:X}, CR2 0x{Cr2:X}";
}
