using System.Reflection;
using System.Reflection.Emit;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// Memory. An access that a cached translation allows, and that does not cross a page, is done in line; for all others the
/// processor is called. Host memory is reached only through a translation, at an offset within its page.
/// </summary>
internal sealed partial class RegionCompiler
{
    private const ulong PageMask = ~HostPage.OffsetMask;

    private readonly LocalBuilder _address;
    private readonly LocalBuilder _entry;

    /// <summary>Pushes the linear address of a memory operand.</summary>
    private void PushAddress(in MicroOp op)
    {
        PushOffset(in op);
        if (op.Segment != 0)
        {
            _w.Argument(ProcessorArgument);
            _w.Int32(op.Segment);
            _w.Call(Members.SegmentBase);
            _w.Emit(OpCodes.Add);
        }
    }

    /// <summary>Pushes the address of a memory operand without its segment.</summary>
    private void PushOffset(in MicroOp op)
    {
        _w.Int64(op.Displacement);
        if (op.Base != MicroOp.ZeroRegister)
        {
            _w.Load(Register(op.Base));
            _w.Emit(OpCodes.Add);
        }

        if (op.Index != MicroOp.ZeroRegister)
        {
            _w.Load(Register(op.Index));
            if (op.Scale != 0)
            {
                _w.Int32(op.Scale);
                _w.Emit(OpCodes.Shl);
            }

            _w.Emit(OpCodes.Add);
        }

        if (op.Address32)
        {
            _w.ZeroExtend(4);
        }
    }

    /// <summary>Pops an address and loads from it into a variable, with zeros above.</summary>
    private void LoadMemory(Site site, int size, LocalBuilder value)
    {
        Label slow = _w.NewLabel();
        Label done = _w.NewLabel();
        Label fault = Fault(site);
        _w.Store(_address);
        FindTranslation(size, Members.ReadTag, slow);
        PushHostAddress();
        _w.LoadIndirect(size);
        _w.Store(value);
        _w.Mark(done);
        _outOfLine.Add(() =>
        {
            _w.Mark(slow);
            CallToLoad(size, Members.Load, value, fault);
            _w.Emit(OpCodes.Br, done);
        });
    }

    /// <summary>Pops an address and stores a variable there; then does what remains of the instruction.</summary>
    private void StoreMemory(Site site, int size, LocalBuilder value, Action finish)
    {
        Label slow = _w.NewLabel();
        Label done = _w.NewLabel();
        Label fault = Fault(site);
        _w.Store(_address);
        FindTranslation(size, Members.WriteTag, slow);
        PushHostAddress();
        _w.Load(value);
        _w.StoreIndirect(size);
        FlagSource before = _flags;
        finish();
        _w.Mark(done);
        _outOfLine.Add(() =>
        {
            _flags = before;
            _w.Mark(slow);
            CallToStore(size, value, fault);
            FinishOutOfLine(site, finish, done);
        });
    }

    /// <summary>
    /// Pops an address, loads from it into <see cref="_left"/>, lets <see cref="_new"/> be computed and stores that; then
    /// does what remains of the instruction.
    /// </summary>
    private void ChangeMemory(Site site, int size, Action compute, Action finish)
    {
        Label slow = _w.NewLabel();
        Label done = _w.NewLabel();
        Label fault = Fault(site);
        _w.Store(_address);
        FindTranslation(size, Members.WriteTag, slow);
        PushHostAddress();
        _w.LoadIndirect(size);
        _w.Store(_left);
        compute();
        PushHostAddress();
        _w.Load(_new);
        _w.StoreIndirect(size);
        FlagSource before = _flags;
        finish();
        _w.Mark(done);
        _outOfLine.Add(() =>
        {
            _flags = before;
            _w.Mark(slow);
            CallToLoad(size, Members.LoadForStore, _left, fault);
            compute();
            CallToStore(size, _new, fault);
            FinishOutOfLine(site, finish, done);
        });
    }

    /// <summary>After a store by the processor: it may have changed the very code that is running.</summary>
    private void FinishOutOfLine(Site site, Action finish, Label done)
    {
        finish();
        _w.Load(_registerFile);
        _w.Emit(OpCodes.Ldfld, Members.BlockEnd);
        _w.Emit(OpCodes.Brtrue, done);
        if (site.GoesToNew)
        {
            LeaveToNew();
        }
        else
        {
            _w.Emit(OpCodes.Br, LeaveAt(RegionExit.Continue, site.NextRip, site.Behind));
        }
    }

    /// <summary>Where an instruction goes that faulted.</summary>
    private Label Fault(Site site) => LeaveAt(RegionExit.Pending, site.Rip, site.Behind);

    private void FindTranslation(int size, FieldInfo tag, Label slow)
    {
        _w.Load(_tlb);
        _w.Load(_address);
        _w.Int32(12);
        _w.Emit(OpCodes.Shr_Un);
        _w.Int64(Tlb.IndexMask);
        _w.Emit(OpCodes.And);
        _w.Int32(Tlb.EntryShift);
        _w.Emit(OpCodes.Shl);
        _w.Emit(OpCodes.Conv_I);
        _w.Emit(OpCodes.Add);
        _w.Store(_entry);

        // The page of the last byte: an access that crosses into another does not find that one's address here.
        _w.Load(_entry);
        _w.Emit(OpCodes.Ldfld, tag);
        _w.Load(_address);
        if (size > 1)
        {
            _w.Int64((ulong)size - 1);
            _w.Emit(OpCodes.Add);
        }

        _w.Int64(PageMask);
        _w.Emit(OpCodes.And);
        _w.Emit(OpCodes.Bne_Un, slow);
    }

    private void PushHostAddress()
    {
        _w.Load(_entry);
        _w.Emit(OpCodes.Ldflda, Members.Page);
        _w.Emit(OpCodes.Ldfld, Members.PageStart);
        _w.Load(_address);
        _w.Int64(HostPage.OffsetMask);
        _w.Emit(OpCodes.And);
        _w.Emit(OpCodes.Conv_I);
        _w.Emit(OpCodes.Add);
    }

    private void CallToLoad(int size, MethodInfo method, LocalBuilder value, Label fault)
    {
        _w.Argument(ProcessorArgument);
        _w.Load(_address);
        _w.Int32(size);
        _w.Call(method);
        _w.Emit(OpCodes.Brfalse, fault);
        _w.Argument(ProcessorArgument);
        _w.Emit(OpCodes.Ldfld, Members.Loaded);
        _w.Store(value);
    }

    private void CallToStore(int size, LocalBuilder value, Label fault)
    {
        _w.Argument(ProcessorArgument);
        _w.Load(_address);
        _w.Int32(size);
        _w.Load(value);
        _w.Call(Members.Store);
        _w.Emit(OpCodes.Brfalse, fault);
    }

    /// <summary>An instruction as the code about it knows it.</summary>
    /// <param name="Rip">Its address.</param>
    /// <param name="NextRip">Where execution goes on behind it.</param>
    /// <param name="Behind">How many instructions of its block come after it.</param>
    private readonly record struct Site(ulong Rip, ulong NextRip, int Behind)
    {
        /// <summary>Execution goes on at the address in <see cref="_new"/> instead.</summary>
        public bool GoesToNew { get; init; }
    }
}
