namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Numbers of the host's general registers, and what those are for that hold no guest register. RCX and RDX hold the guest's
/// own, because shifts and divisions name them; the others are given to the guest's by <see cref="RegisterMap"/>.
/// </summary>
internal static class Host
{
    /// <summary>The guest's arithmetic flags where the processor's own do not hold them: AH as LAHF has it, AL is OF.</summary>
    public const int Rax = 0;
    public const int Rcx = 1;
    public const int Rdx = 2;
    public const int Rbx = 3;

    /// <summary>The host's stack.</summary>
    public const int Rsp = 4;
    public const int Rbp = 5;
    public const int Rsi = 6;
    public const int Rdi = 7;
    public const int R8 = 8;
    public const int R9 = 9;
    public const int R10 = 10;
    public const int R11 = 11;

    /// <summary>How many instructions may still be executed.</summary>
    public const int Budget = 12;

    /// <summary>A translation, or a temporary value.</summary>
    public const int Entry = 13;

    /// <summary>An address of the guest, then the host's; or a temporary value.</summary>
    public const int Address = 14;

    /// <summary>The <see cref="Cpu.ProcessorState"/>.</summary>
    public const int State = 15;
}
