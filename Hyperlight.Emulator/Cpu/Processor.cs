using Hyperlight.Abstractions;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>An x86-64 processor in 64-bit mode: its registers and caches. What it does is in the other parts.</summary>
/// <remarks>It disposes the memory outside the managed heap that it is given.</remarks>
internal sealed unsafe partial class Processor(
    PhysicalMemory memory,
    byte physicalAddressBits,
    MsrPolicy msrPolicy,
    EmulatorOptions options,
    ulong? seed,
    CodeCache code,
    DecodedCodeCache decodedCode,
    ProcessorMemory native) : IDisposable
{
    public const int Rax = 0;
    public const int Rcx = 1;
    public const int Rdx = 2;
    public const int Rbx = 3;
    public const int Rsp = 4;
    public const int Rbp = 5;
    public const int Rsi = 6;
    public const int Rdi = 7;

    private readonly ProcessorState* _state = native.State;
    private readonly RegisterFile _regs = new(native.State);
    private readonly Tlb _tlb = new(native.SupervisorTranslations, native.UserTranslations);
    private readonly BlockCache _blocks = new(options.MostDecodedBytes);
    private ulong _rip;

    private EntropySource _entropy = new(seed);

    /// <summary>How many instructions were executed.</summary>
    private long _executed;

    /// <summary>How many may have been executed when the run has to end.</summary>
    private long _executedLimit = long.MaxValue;

    /// <inheritdoc cref="BlockCache.DecodedSize"/>
    public long DecodedSize => _blocks.DecodedSize;

    /// <inheritdoc cref="BlockCache.CompiledSize"/>
    public long CompiledSize => _blocks.CompiledSize;

    /// <summary>How many instructions were executed.</summary>
    public long InstructionCount => _executed;

    /// <summary>How many more may be.</summary>
    public long InstructionBudget
    {
        get => _executedLimit == long.MaxValue ? long.MaxValue : _executedLimit - _executed;
        set => _executedLimit = value > long.MaxValue - _executed ? long.MaxValue : _executed + value;
    }

    public GeneralRegisters General
    {
        get => new()
        {
            Rax = _regs[Rax],
            Rbx = _regs[Rbx],
            Rcx = _regs[Rcx],
            Rdx = _regs[Rdx],
            Rsi = _regs[Rsi],
            Rdi = _regs[Rdi],
            Rsp = _regs[Rsp],
            Rbp = _regs[Rbp],
            R8 = _regs[8],
            R9 = _regs[9],
            R10 = _regs[10],
            R11 = _regs[11],
            R12 = _regs[12],
            R13 = _regs[13],
            R14 = _regs[14],
            R15 = _regs[15],
            Rip = _rip,
            Rflags = ReadFlags(),
        };
        set
        {
            _regs[Rax] = value.Rax;
            _regs[Rbx] = value.Rbx;
            _regs[Rcx] = value.Rcx;
            _regs[Rdx] = value.Rdx;
            _regs[Rsi] = value.Rsi;
            _regs[Rdi] = value.Rdi;
            _regs[Rsp] = value.Rsp;
            _regs[Rbp] = value.Rbp;
            _regs[8] = value.R8;
            _regs[9] = value.R9;
            _regs[10] = value.R10;
            _regs[11] = value.R11;
            _regs[12] = value.R12;
            _regs[13] = value.R13;
            _regs[14] = value.R14;
            _regs[15] = value.R15;
            _rip = value.Rip;
            (_heldStatus, _isStatusDue, _isShadowed, _shadowed) = (0, false, false, NoShadow);
            WriteFlags(value.Rflags);
        }
    }

    /// <summary>Called when the host has replaced a range of memory: what was decoded from it is gone.</summary>
    public void ForgetCode(ulong hostAddress, ulong size)
    {
        using (_codeUse.EnterScope())
        {
            _blocks.InvalidateRange(hostAddress, size);
        }

        // The code can have been asked for meanwhile.
        ReleaseUnlessRunning();
    }

    /// <summary>Called when pages that were written do not count as written any more.</summary>
    public void ForgetWrites() => _tlb.ForgetWrites();

    /// <summary>Called when slots change: translations and decoded pages may be of memory that is gone.</summary>
    public void ForgetMemory()
    {
        using Lock.Scope use = _codeUse.EnterScope();
        _tlb.FlushAll();
        _blocks.Clear();
        NoteCodeIsForgotten();
    }

    /// <summary>Gives the memory back, or lets a run that is under way do it. Only <see cref="Cancel"/> may be called then.</summary>
    public void Dispose() => native.Dispose();
}
