using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Access to the stack.</summary>
internal sealed partial class LinearMemory
{
    public bool Push(ulong value, int size = 8)
    {
        ulong rsp = registers[Rsp] - (ulong)size;
        if (!Store(rsp, size, value))
        {
            return pending.StackFault();
        }

        registers[Rsp] = rsp;
        return true;
    }

    /// <summary>Loads through SS.</summary>
    public bool LoadStack(ulong address, int size, out ulong value) => Load(address, size, out value) || pending.StackFault();

    public bool Pop(out ulong value, int size = 8)
    {
        ulong rsp = registers[Rsp];
        if (!LoadStack(rsp, size, out value))
        {
            return false;
        }

        registers[Rsp] = rsp + (ulong)size;
        return true;
    }
}
