using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Model-specific registers that have no other place.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal struct MsrState
{
    public const int Size = 104;

    public ulong ApicBase;
    public ulong KernelGsBase;
    public ulong Star;
    public ulong Lstar;
    public ulong Cstar;
    public ulong SyscallMask;
    public ulong SysenterCs;
    public ulong SysenterEsp;
    public ulong SysenterEip;
    public ulong TscAux;
    public ulong TscOffset;
    public ulong Pat;
    public ulong MiscEnable;
}
