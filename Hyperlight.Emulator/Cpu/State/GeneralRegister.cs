namespace Hyperlight.Emulator.Cpu;

/// <summary>The numbers of general registers in instructions.</summary>
internal static class GeneralRegister
{
    public const int Rax = 0;
    public const int Rcx = 1;
    public const int Rdx = 2;
    public const int Rbx = 3;
    public const int Rsp = 4;
    public const int Rbp = 5;
    public const int Rsi = 6;
    public const int Rdi = 7;
}
