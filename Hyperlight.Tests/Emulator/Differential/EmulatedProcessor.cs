using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>How instructions are executed by the managed machine.</summary>
internal enum Tier
{
    Interpreter,

    /// <summary>
    /// Everything is translated to intermediate code when it is executed first, so that it runs from the second time on.
    /// </summary>
    Compiled,

    /// <summary>Everything is translated to machine code when it is executed first.</summary>
    Machine,
}

/// <summary>How the code under test ended.</summary>
internal enum Outcome
{
    /// <summary>At its last instruction.</summary>
    Done,

    /// <summary>By an exception of the guest.</summary>
    Exception,

    /// <summary>The machine says that it does not know the instruction.</summary>
    NotImplemented,

    /// <summary>By anything else.</summary>
    Exit,
}

/// <summary>
/// The managed machine, with guest page tables that put the test memory at its host addresses. Exceptions end at a HLT of
/// their own, on a stack of their own.
/// </summary>
internal sealed class EmulatedProcessor : IDisposable
{
    private const int RootTable = 0x1000;
    private const int PointerTable = 0x2000;
    private const int Directory = 0x3000;
    private const int Table = 0x4000;
    private const int Frames = 0x10000;
    private const ulong Present = 1;
    private const ulong PresentWritable = 3;
    private const int PageSize = 0x1000;
    private const int CodeSelector = 8;
    private const int TaskSelector = 16;
    private const byte InvalidOpcode = 6;
    private const byte HaltInstruction = 0xF4;
    private const int Vectors = 32;

    private readonly IMemoryRegion _memory;
    private readonly IVirtualMachine _machine;

    public EmulatedProcessor(Tier tier)
    {
        Tier = tier;
        var hypervisor = new EmulatorHypervisor(new EmulatorOptions
        {
            TranslateHotCode = tier != Tier.Interpreter,
            Tier = tier == Tier.Machine ? CodeTier.Machine : CodeTier.Intermediate,
            HotThreshold = 1,
            VerifiesEmittedCode = true,
        });
        _memory = hypervisor.AllocateMemory(Frames + TestMemory.Size);
        _machine = hypervisor.CreateVirtualMachine(new VirtualMachineOptions());
        Map();
        BuildPageTables();
        BuildHandlers();
        _machine.SetSpecialRegisters(new SpecialRegisters
        {
            Cs = new SegmentRegister { Selector = CodeSelector, Attributes = 0x209B },
            Gs = new SegmentRegister { Base = TestMemory.GsBase },
            Tr = new SegmentRegister { Base = TestMemory.Tss, Limit = 0x67, Selector = TaskSelector, Attributes = 0x8B },
            Gdtr = new DescriptorTableRegister { Base = TestMemory.Gdt, Limit = 31 },
            Idtr = new DescriptorTableRegister { Base = TestMemory.Idt, Limit = (16 * Vectors) - 1 },
            Cr0 = 0x8001_0033,
            Cr3 = RootTable,
            Cr4 = 0x620,
            Efer = 0xD01,
        });
    }

    public Tier Tier { get; }

    /// <summary>The data as this processor sees it.</summary>
    public Span<byte> Data => At(TestMemory.Data, TestMemory.DataSize);

    /// <summary>The page behind the data that can be written.</summary>
    public Span<byte> Island => At(TestMemory.Island, TestMemory.IslandSize);

    /// <summary>The vector of an <see cref="Outcome.Exception"/>.</summary>
    public int Vector { get; private set; }

    /// <summary>How often emitted machine code was entered.</summary>
    public long CodeEntries => ((EmulatorVirtualMachine)_machine).CodeEntries;

    /// <summary>What ended the run.</summary>
    public VmExit LastExit { get; private set; }

    /// <summary>The bytes at an address of the code area.</summary>
    public Span<byte> Code(ulong address) => At(address, (int)(TestMemory.Code + TestMemory.CodeSize - address));

    /// <summary>Makes the machine forget decoded and compiled code: what changes often, it would not compile again.</summary>
    public void ForgetCode()
    {
        _machine.UnmapMemory(0);
        Map();
    }

    /// <summary>Executes from <see cref="CpuState.Rip"/> until a HLT.</summary>
    public Outcome Run(in CpuState input, out CpuState output)
    {
        _machine.SetGeneralRegisters(ToGeneral(in input));
        _machine.SetFpuRegisters(ToFpu(in input));
        LastExit = _machine.Run();
        output = ToState(_machine.GetGeneralRegisters(), _machine.GetFpuRegisters());
        if (LastExit.Reason == VmExitReason.EmulationFailure)
        {
            return Outcome.NotImplemented;
        }

        if (LastExit != VmExit.Halt)
        {
            return Outcome.Exit;
        }

        if (output.Rip - TestMemory.Handlers - 1 >= Vectors)
        {
            return Outcome.Done;
        }

        Vector = (int)(output.Rip - TestMemory.Handlers - 1);
        return Vector == InvalidOpcode ? Outcome.NotImplemented : Outcome.Exception;
    }

    /// <summary>Executes until a HLT or an exception, and says which; the state is the one that the handler returns to.</summary>
    public Fault? RunToFault(in CpuState input, out CpuState output)
    {
        Outcome outcome = Run(in input, out output);
        if (LastExit != VmExit.Halt)
        {
            throw new InvalidOperationException($"The machine ended with {LastExit}.");
        }

        if (outcome == Outcome.Done)
        {
            return null;
        }

        bool hasError = Fault.HasErrorCode(Vector);
        Span<byte> frame = At(output.General[CpuState.Rsp], 48);
        ulong error = hasError ? BinaryPrimitives.ReadUInt64LittleEndian(frame) : 0;
        frame = frame[(hasError ? 8 : 0)..];
        output.Rip = BinaryPrimitives.ReadUInt64LittleEndian(frame);
        output.Flags = BinaryPrimitives.ReadUInt64LittleEndian(frame[16..]);
        output.General[CpuState.Rsp] = BinaryPrimitives.ReadUInt64LittleEndian(frame[24..]);
        return new Fault(Vector, error, Vector == Fault.PageFault ? _machine.GetSpecialRegisters().Cr2 : 0);
    }

    public void Dispose()
    {
        _machine.Dispose();
        _memory.Dispose();
    }

    private void Map() =>
        _machine.MapMemory(0, GuestMapping.Whole(0, _memory, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));

    private static GeneralRegisters ToGeneral(in CpuState state) => new()
    {
        Rax = state.General[0],
        Rcx = state.General[1],
        Rdx = state.General[2],
        Rbx = state.General[3],
        Rsp = state.General[4],
        Rbp = state.General[5],
        Rsi = state.General[6],
        Rdi = state.General[7],
        R8 = state.General[8],
        R9 = state.General[9],
        R10 = state.General[10],
        R11 = state.General[11],
        R12 = state.General[12],
        R13 = state.General[13],
        R14 = state.General[14],
        R15 = state.General[15],
        Rip = state.Rip,
        Rflags = state.Flags,
    };

    private static FpuRegisters ToFpu(in CpuState state)
    {
        ReadOnlySpan<byte> fx = state.Fx;
        X87Stack st = default;
        fx.Slice(FxImage.StOffset, 128).CopyTo(MemoryMarshal.AsBytes((Span<UInt128>)st));
        XmmRegisters xmm = default;
        fx.Slice(FxImage.XmmOffset, 256).CopyTo(MemoryMarshal.AsBytes((Span<UInt128>)xmm));
        return new FpuRegisters
        {
            ControlWord = state.ControlWord,
            StatusWord = state.StatusWord,
            TagWord = state.TagWord,
            Mxcsr = state.Mxcsr,
            St = st,
            Xmm = xmm,
        };
    }

    private static CpuState ToState(GeneralRegisters general, FpuRegisters fpu)
    {
        CpuState state = default;
        state.General[0] = general.Rax;
        state.General[1] = general.Rcx;
        state.General[2] = general.Rdx;
        state.General[3] = general.Rbx;
        state.General[4] = general.Rsp;
        state.General[5] = general.Rbp;
        state.General[6] = general.Rsi;
        state.General[7] = general.Rdi;
        state.General[8] = general.R8;
        state.General[9] = general.R9;
        state.General[10] = general.R10;
        state.General[11] = general.R11;
        state.General[12] = general.R12;
        state.General[13] = general.R13;
        state.General[14] = general.R14;
        state.General[15] = general.R15;
        state.Rip = general.Rip;
        state.Flags = general.Rflags;
        state.ControlWord = fpu.ControlWord;
        state.StatusWord = fpu.StatusWord;
        state.TagWord = fpu.TagWord;
        state.Mxcsr = fpu.Mxcsr;
        X87Stack st = fpu.St;
        XmmRegisters xmm = fpu.Xmm;
        Span<byte> fx = state.Fx;
        MemoryMarshal.AsBytes((ReadOnlySpan<UInt128>)st).CopyTo(fx[FxImage.StOffset..]);
        MemoryMarshal.AsBytes((ReadOnlySpan<UInt128>)xmm).CopyTo(fx[FxImage.XmmOffset..]);
        return state;
    }

    private void BuildPageTables()
    {
        Write(RootTable, PointerTable | PresentWritable);
        Write(PointerTable + (8 * (int)(TestMemory.Base >> 30)), Directory | PresentWritable);
        Write(Directory + (8 * ((int)(TestMemory.Base >> 21) & 511)), Table | PresentWritable);
        for (int page = 0; page < TestMemory.Size / PageSize; page++)
        {
            ulong address = TestMemory.Base + (ulong)(page * PageSize);
            bool isAbsent = address is TestMemory.Absent or (>= TestMemory.IslandEnd and < TestMemory.Handlers);
            ulong rights = isAbsent ? 0 : address == TestMemory.ReadOnly ? Present : PresentWritable;
            Write(Table + (8 * page), ((ulong)Frames + (ulong)(page * PageSize)) | rights);
        }
    }

    private void BuildHandlers()
    {
        const ulong CodeDescriptor = 0x00AF_9B00_0000_FFFF;
        const ulong InterruptGate = 0x8E;
        const ulong FirstInterruptStack = 1;
        BinaryPrimitives.WriteUInt64LittleEndian(At(TestMemory.Gdt + CodeSelector, 8), CodeDescriptor);
        BinaryPrimitives.WriteUInt64LittleEndian(At(TestMemory.Tss + 0x24, 8), TestMemory.HandlerStackTop);
        for (int vector = 0; vector < Vectors; vector++)
        {
            ulong handler = TestMemory.Handlers + (ulong)vector;
            ulong gate = (handler & 0xFFFF) | (CodeSelector << 16) | (FirstInterruptStack << 32) | (InterruptGate << 40)
                | (handler >> 16 << 48);
            At(handler, 1)[0] = HaltInstruction;
            BinaryPrimitives.WriteUInt64LittleEndian(At(TestMemory.Idt + (16 * (ulong)vector), 8), gate);
        }
    }

    private Span<byte> At(ulong address, int size) => _memory.GetSpan((nuint)(Frames + (address - TestMemory.Base)), size);

    private void Write(int physical, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(_memory.GetSpan((nuint)physical, 8), value);
}
