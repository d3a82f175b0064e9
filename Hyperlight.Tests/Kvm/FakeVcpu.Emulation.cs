using Hyperlight.Kvm.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// What matters of KVM's instruction emulator (arch/x86/kvm/emulate.c and x86.c): an access that the host has to answer ends
/// KVM_RUN, and at the next one the same instruction is executed again, from its beginning. Reads that were answered
/// before come from a cache then, and the one that was answered last is marked as completed. If the instruction does not come
/// to it, because RCX ends it, the mark stays, and the next read of any instruction gets what the cache holds. The data of a
/// port stay likewise.
/// </summary>
internal sealed unsafe partial class FakeVcpu
{
    private const uint PieceSize = 8;
    private const uint PortReadAhead = 1024;

    /// <summary>complete_userspace_io. It answers whether KVM goes on; otherwise the run page holds an exit.</summary>
    private Func<bool>? _completion;

    /// <summary>The values in the cache of the instruction's reads: mem_read.</summary>
    private readonly List<ulong> _cache = [];

    /// <summary>What is left of the values of the last instruction: the cache is emptied, its bytes are not.</summary>
    private ulong _cacheContent;

    /// <summary>What the last read of an instruction gave to the guest.</summary>
    public ulong LastRead => _cacheContent;

    /// <summary>mmio_read_completed.</summary>
    public bool IsReadCompleted { get; private set; }

    /// <summary>pio.count.</summary>
    public uint PortCount { get; private set; }

    /// <summary>Whether something will be done at the next entry.</summary>
    public bool HasUnfinishedAccess => _completion is not null;

    /// <summary>Executes an instruction: the result of a script.</summary>
    public int Emulate(FakeInstruction instruction) => Decode(instruction) ? ExitHalt() : 0;

    /// <summary>What an emulated read of memory gives to a guest.</summary>
    public ulong EmulateRead(ulong memory)
    {
        bool isDone = Decode(new FakeInstruction(new FakeOperand(FakeAccess.Read, IsMmio: false, 8, memory)) { Length = 0 });
        return isDone ? _cacheContent : throw new InvalidOperationException("Memory needs no exit.");
    }

    /// <summary>An OUT on hardware: KVM moves RIP at the next entry, if the linear address is the same then.</summary>
    public int ExitFastOut(ushort port, uint value, ulong length)
    {
        ulong at = LinearRip;
        _completion = () =>
        {
            Regs.Rip += at == LinearRip ? length : 0;
            return true;
        };
        return ExitIoOut(port, value);
    }

    private ulong LinearRip => Sregs.Cs.L != 0 ? Regs.Rip : (uint)(Sregs.Cs.Base + Regs.Rip);

    private bool CompleteAccess()
    {
        Func<bool>? completion = _completion;
        _completion = null;
        return completion is null || completion();
    }

    private bool Decode(FakeInstruction instruction)
    {
        _cache.Clear();
        return Execute(instruction);
    }

    /// <returns>Whether the instruction is done, or its next element can begin; otherwise KVM_RUN ends.</returns>
    private bool Execute(FakeInstruction instruction)
    {
        while (!instruction.IsRepeated || Regs.Rcx != 0)
        {
            uint elements = 1;
            int reads = 0;
            for (int i = 0; i < instruction.Operands.Count; i++)
            {
                FakeOperand operand = instruction.Operands[i];
                bool goesOn = operand.Access switch
                {
                    FakeAccess.Read => Read(instruction, operand, reads++),
                    FakeAccess.Write => Write(instruction, operand, elements),
                    FakeAccess.In => In(instruction, operand, out elements),
                    _ => Out(instruction, operand),
                };
                if (!goesOn)
                {
                    return false;
                }
            }

            if (!instruction.IsRepeated || (Regs.Rcx -= elements) == 0)
            {
                Regs.Rip += instruction.Length;
                return true;
            }

            _cache.Clear();
        }

        // The count was zero at the beginning of an element.
        Regs.Rip += instruction.Length;
        return PortCount == 0 || Again(instruction);
    }

    private bool Read(FakeInstruction instruction, FakeOperand operand, int position)
    {
        if (position < _cache.Count)
        {
            return true;
        }

        if (!IsReadCompleted && operand.IsMmio)
        {
            ulong answer = 0;
            return Exit(operand, operand.Size, isWrite: false, () =>
            {
                answer = RunPage->Mmio.Data;
                _cacheContent = position == 0 ? answer : _cacheContent;
                IsReadCompleted = true;
                return Execute(instruction);
            });
        }

        // Completed, so that nothing is read: the place in the cache holds what it held.
        if (!IsReadCompleted && position == 0)
        {
            _cacheContent = operand.Memory;
        }

        IsReadCompleted = false;
        _cache.Add(_cacheContent);
        return true;
    }

    /// <summary>A write is the last thing that an element does: registers change before it is answered.</summary>
    private bool Write(FakeInstruction instruction, FakeOperand operand, uint elements)
    {
        if (!operand.IsMmio)
        {
            return true;
        }

        if (!instruction.IsRepeated || (Regs.Rcx -= elements) == 0)
        {
            Regs.Rip += instruction.Length;
        }

        return Exit(operand, operand.Size * elements, isWrite: true, static () => true);
    }

    private bool Exit(FakeOperand operand, uint left, bool isWrite, Func<bool> whenAnswered)
    {
        ExitMmio(FakeOperand.MmioAddress, Math.Min(left, PieceSize), isWrite);
        _completion = () => left <= PieceSize ? whenAnswered() : Exit(operand, left - PieceSize, isWrite, whenAnswered);
        return false;
    }

    private bool In(FakeInstruction instruction, FakeOperand operand, out uint elements)
    {
        bool readsAhead = instruction.IsRepeated && !instruction.IsBackwards;
        elements = readsAhead ? (uint)Math.Min(PortReadAhead / operand.Size, Regs.Rcx) : 1;
        if (PortCount > 0)
        {
            PortCount = 0;
            return true;
        }

        PortCount = elements;
        ExitIo(new KvmRunIo
        {
            Direction = KvmRun.KVM_EXIT_IO_IN,
            Port = 0x64,
            Size = (byte)operand.Size,
            Count = elements,
            DataOffset = IoDataOffset,
        });
        _completion = () => Execute(instruction);
        return false;
    }

    private bool Out(FakeInstruction instruction, FakeOperand operand)
    {
        if (!instruction.IsRepeated || --Regs.Rcx == 0)
        {
            Regs.Rip += instruction.Length;
        }

        ExitIoOut(0x64, 0, (byte)operand.Size);
        return false;
    }

    /// <summary>Data of a port that were not taken: KVM_RUN ends without an exit, and will do so again.</summary>
    private bool Again(FakeInstruction instruction)
    {
        _completion = () => Execute(instruction);
        return false;
    }
}
