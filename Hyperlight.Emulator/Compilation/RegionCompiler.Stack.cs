using System.Reflection.Emit;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>PUSH, POP and LEAVE.</summary>
internal sealed partial class RegionCompiler
{
    private const int StackSlot = 8;

    private void WritePush(MicroOp op, Site site)
    {
        PushDestination(in op, site);
        _w.Store(_new);
        PushOnStack(site, _new);
    }

    /// <summary>Pushes a variable on the guest's stack.</summary>
    private void PushOnStack(Site site, LocalBuilder value)
    {
        PushRegister(GeneralRegister.Rsp);
        _w.Int64(StackSlot);
        _w.Emit(OpCodes.Sub);
        StoreMemory(site, StackSlot, value, () => MoveStack(unchecked(0UL - StackSlot)));
    }

    private void WritePop(in MicroOp op, Site site)
    {
        PushRegister(GeneralRegister.Rsp);
        LoadMemory(site, StackSlot, _new);
        MoveStack(StackSlot);
        _w.Load(_new);
        PopRegister(op.DestinationRegister, StackSlot);
    }

    private void WriteLeave(Site site)
    {
        PushRegister(GeneralRegister.Rbp);
        LoadMemory(site, StackSlot, _new);
        PushRegister(GeneralRegister.Rbp);
        _w.Int64(StackSlot);
        _w.Emit(OpCodes.Add);
        PopRegister(GeneralRegister.Rsp, StackSlot);
        _w.Load(_new);
        PopRegister(GeneralRegister.Rbp, StackSlot);
    }

    private void MoveStack(ulong bytes)
    {
        PushRegister(GeneralRegister.Rsp);
        _w.Int64(bytes);
        _w.Emit(OpCodes.Add);
        PopRegister(GeneralRegister.Rsp, StackSlot);
    }
}
