using Hyperlight.Abstractions;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// What a processor consists of before it has run: its state, its caches, and what it was given. The <see cref="ExecutionUnit"/>, which is
/// created when it runs first, gives each of its parts what that needs of it.
/// </summary>
internal sealed unsafe class ProcessorCore
{
    public ProcessorCore(
        PhysicalMemory memory,
        byte physicalAddressBits,
        MsrPolicy msrPolicy,
        EmulatorOptions options,
        ulong? seed,
        CodeCache code,
        DecodedCodeCache decodedCode,
        ProcessorMemory native)
    {
        (Memory, PhysicalAddressBits, MsrPolicy, Options, Seed) = (memory, physicalAddressBits, msrPolicy, options, seed);
        (Code, DecodedCode, Native) = (code, decodedCode, native);
        State = native.State;
        Tlb = new Tlb(native.SupervisorTranslations, native.UserTranslations);
        Blocks = new BlockCache(options.MostDecodedBytes);
        Places = new CodePlacesByPrivilege(Tlb);
        Compiled = new CompiledCode(Tlb, native, Places);
        Holder = new CodeHolder(State, Blocks, code, native, Compiled);
        Clock = new ProcessorClock(State, seed);
    }

    public PhysicalMemory Memory { get; }

    public byte PhysicalAddressBits { get; }

    public MsrPolicy MsrPolicy { get; }

    public EmulatorOptions Options { get; }

    public ulong? Seed { get; }

    public CodeCache Code { get; }

    public DecodedCodeCache DecodedCode { get; }

    public ProcessorMemory Native { get; }

    public ProcessorState* State { get; }

    public Tlb Tlb { get; }

    public BlockCache Blocks { get; }

    public CodePlacesByPrivilege Places { get; }

    public CompiledCode Compiled { get; }

    public CodeHolder Holder { get; }

    public ProcessorClock Clock { get; }

    public RegisterFile Registers => new(State);

    public XmmFile Xmm => new(State);

    public Flags Flags => new(State);

    public PrivilegeLevel Privilege => new(State, Tlb);

    public Breakpoints Breakpoints => new(State, Tlb);

    public InterruptWindow Interrupts => new(State);

    public X87Registers X87 => new(State);

    public FloatingPointImage FloatingPoint => new(State, Xmm, X87);

    public ModelSpecificRegisters Msrs => new(State, Tlb, Clock, PhysicalAddressBits);
}
