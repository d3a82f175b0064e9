using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Linux;
using Hyperlight.Tests.Emulator.Differential;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using Encoder = Iced.Intel.Encoder;

namespace Hyperlight.Tests.Emulator.Fuzzing;

/// <summary>
/// A guest that nobody wrote. Its memory is between canaries, and those between inaccessible pages: a stray access changes a
/// canary, or ends the test process.
/// </summary>
internal sealed class FuzzedGuest : IDisposable
{
    private const int Page = 0x1000;
    private const int WritableOffset = Page;
    private const int WritableSize = 0x10000;
    private const int ReadOnlyOffset = WritableOffset + WritableSize + Page;
    private const int ReadOnlySize = 0x4000;
    private const int TotalSize = ReadOnlyOffset + ReadOnlySize + Page;

    /// <summary>Within the page that the guest's page tables map first.</summary>
    private const ulong ReadOnlyAddress = 0x20_0000;
    private const byte Canary = 0xC5;
    private const int InstructionBudget = 2000;
    private const int MostRuns = 4;
    private const int MostInstructionBytes = 15;

    private readonly LinuxMemoryRegion _memory =
        LinuxMemoryRegion.Allocate(LinuxKernel.Instance, EmulatorHypervisor.DriverName, TotalSize);

    private readonly EmulatorHypervisor _hypervisor;
    private readonly byte[] _canary = new byte[Page];
    private readonly byte[] _readOnly = new byte[ReadOnlySize];
    private IVirtualMachine _machine;
    private long _earlierCodeEntries;

    /// <param name="seed">Chooses when code is translated: few guests execute anything often.</param>
    public FuzzedGuest(ulong seed)
    {
        int threshold = new RandomSource(seed).OneIn(2) ? 1 : 20;
        _hypervisor = new EmulatorHypervisor(new EmulatorOptions { HotThreshold = threshold, VerifiesEmittedCode = true });
        _canary.AsSpan().Fill(Canary);
        new RandomSource(1).Fill(_readOnly);
        _memory.Write(0, _canary);
        _memory.Write(WritableOffset + WritableSize, _canary);
        _memory.Write(ReadOnlyOffset + ReadOnlySize, _canary);
        _memory.Write(ReadOnlyOffset, _readOnly);
        _machine = Create();
    }

    /// <summary>How runs ended.</summary>
    public Dictionary<string, int> Endings { get; } = [];

    /// <summary>How often emitted machine code was entered.</summary>
    public long CodeEntries => _earlierCodeEntries + ((EmulatorVirtualMachine)_machine).CodeEntries;

    /// <summary>Executes one guest to its end.</summary>
    public void Execute(ulong seed)
    {
        var random = new RandomSource(seed);
        if (random.OneIn(64))
        {
            _earlierCodeEntries = CodeEntries;
            _machine.Dispose();
            _machine = Create();
        }

        Span<byte> memory = _memory.GetSpan(WritableOffset, WritableSize);
        int kind = random.Below(4);
        Prepare(kind, memory, random);
        SpecialRegisters special = LongModeGuest.SpecialRegisters;
        if (kind == 3 || random.OneIn(4))
        {
            Disturb(ref special, random);
        }

        _machine.SetSpecialRegisters(special);
        _machine.SetGeneralRegisters(Registers(kind, random));
        ((IInstructionCounter)_machine).InstructionBudget = InstructionBudget;
        for (int i = 0; i < MostRuns; i++)
        {
            string ending;
            try
            {
                VmExit exit = _machine.Run();
                ending = exit.Reason.ToString();
                if (exit.Reason is VmExitReason.Shutdown or VmExitReason.InstructionBudgetExhausted)
                {
                    i = MostRuns;
                }
            }
            catch (HypervisorException)
            {
                // Registers that no 64-bit guest has.
                ending = nameof(HypervisorException);
                i = MostRuns;
            }

            Endings[ending] = Endings.GetValueOrDefault(ending) + 1;
        }

        _ = _machine.GetGeneralRegisters();
        _ = _machine.GetSpecialRegisters();
        _ = _machine.GetFpuRegisters();
    }

    /// <summary>What a guest changed that it must not, or <see langword="null"/>.</summary>
    public string? FindDamage() =>
        !_memory.GetSpan(0, Page).SequenceEqual(_canary) ? "the bytes before its memory"
        : !_memory.GetSpan(WritableOffset + WritableSize, Page).SequenceEqual(_canary) ? "the bytes behind its memory"
        : !_memory.GetSpan(ReadOnlyOffset + ReadOnlySize, Page).SequenceEqual(_canary) ? "the bytes behind its read-only memory"
        : !_memory.GetSpan(ReadOnlyOffset, ReadOnlySize).SequenceEqual(_readOnly) ? "its read-only memory"
        : null;

    public void Dispose()
    {
        _machine.Dispose();
        _memory.Dispose();
    }

    private IVirtualMachine Create()
    {
        IVirtualMachine machine = _hypervisor.CreateVirtualMachine(new VirtualMachineOptions());
        machine.MapMemory(0, new GuestMapping(
            0, _memory, WritableOffset, WritableSize, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));
        machine.MapMemory(1, new GuestMapping(
            ReadOnlyAddress, _memory, ReadOnlyOffset, ReadOnlySize, MemoryFlags.Read | MemoryFlags.Execute));
        return machine;
    }

    private static void Prepare(int kind, Span<byte> memory, RandomSource random)
    {
        if (kind is 2 or 3)
        {
            random.Fill(memory);
            FillTables(memory, random);
        }
        else
        {
            // The tables of the last guest may be anything.
            memory[..(int)LongModeGuest.CodeAddress].Clear();
            LongModeGuest.BuildPageTables(memory);
        }

        Span<byte> code = memory.Slice((int)LongModeGuest.CodeAddress, 512);
        random.Fill(code);
        if (kind == 1 || (kind == 3 && random.OneIn(2)))
        {
            WriteMutatedCode(code, random);
        }
    }

    /// <summary>Entries that are mostly present and lead into the guest's memory, on every page that a table may be on.</summary>
    private static void FillTables(Span<byte> memory, RandomSource random)
    {
        for (int offset = 0; offset < (int)LongModeGuest.CodeAddress; offset += 8)
        {
            ulong entry = random.Below(16) switch
            {
                0 => random.Next(),
                1 => 0,
                2 => ReadOnlyAddress | (random.Next() & 0x3FE0) | 7,
                3 => (random.Next() & 0xFFFF) | (1UL << 63),
                _ => (random.Next() & 0xF0E7) | 3,
            };
            BinaryPrimitives.WriteUInt64LittleEndian(memory[offset..], entry);
        }
    }

    /// <summary>Instructions with operands that are as wild as they come, of which some bits are wrong.</summary>
    private static void WriteMutatedCode(Span<byte> code, RandomSource random)
    {
        var values = new OperandValues(random);
        var generator = new InstructionGenerator(random, values);
        var candidate = new Candidate();
        var writer = new ArrayWriter(code.Length);
        Encoder encoder = Encoder.Create(64, writer);
        while (writer.Length < code.Length - MostInstructionBytes)
        {
            Code next = TestedInstructions.All[random.Below(TestedInstructions.All.Count)];
            ulong at = LongModeGuest.CodeAddress + (ulong)writer.Length;
            if (generator.TryGenerate(next, at, candidate))
            {
                encoder.Encode(in candidate.Instruction, at);
            }
        }

        writer.Bytes.CopyTo(code);
        for (int i = random.Below(8); i > 0; i--)
        {
            code[random.Below(writer.Length)] ^= (byte)(1 << random.Below(8));
        }
    }

    private static void Disturb(ref SpecialRegisters special, RandomSource random)
    {
        special.Cr0 ^= random.OneIn(2) ? 1UL << random.Below(32) : 0;
        special.Cr4 ^= random.OneIn(2) ? 1UL << random.Below(24) : 0;
        special.Efer ^= random.OneIn(2) ? 1UL << random.Below(16) : 0;
        special.Cr3 = random.Below(4) switch
        {
            0 => special.Cr3,
            1 => random.Next(),
            2 => ReadOnlyAddress,
            _ => random.Next() & 0xF000,
        };
        special.Gdtr = new DescriptorTableRegister { Base = Address(random), Limit = (ushort)random.Next() };
        special.Idtr = new DescriptorTableRegister { Base = Address(random), Limit = (ushort)random.Next() };
        special.Tr = special.Tr with { Base = Address(random) };
        special.Ldtr = special.Ldtr with { Base = Address(random), Limit = (uint)random.Next() };
        special.Fs = special.Fs with { Base = Address(random) };
        special.Gs = special.Gs with { Base = random.Next() };
        if (random.OneIn(4))
        {
            // CPL 3.
            special.Cs = special.Cs with { Selector = 3, Attributes = 0x20FB };
            special.Ss = special.Ss with { Selector = 3, Attributes = 0xCF3 };
        }

        if (random.OneIn(8))
        {
            special.Cs = special.Cs with { Attributes = (ushort)random.Next() };
        }
    }

    private static ulong Address(RandomSource random) => random.Below(6) switch
    {
        0 => random.Next(),
        1 => WritableSize - (ulong)random.Below(32),
        2 => ReadOnlyAddress + (random.Next() & 0x3FFF),
        _ => random.Next() & 0xFFFF,
    };

    private static GeneralRegisters Registers(int kind, RandomSource random) => new()
    {
        Rax = random.Next() >> random.Below(64),
        Rbx = Address(random),
        Rcx = random.Next() >> random.Below(64),
        Rdx = Address(random),
        Rsi = Address(random),
        Rdi = Address(random),
        Rbp = Address(random),
        Rsp = random.OneIn(3) ? Address(random) : LongModeGuest.StackTop,
        R8 = Address(random),
        R9 = Address(random),
        R10 = Address(random),
        R11 = Address(random),
        R12 = Address(random),
        R13 = Address(random),
        R14 = random.Next(),
        R15 = random.Next(),
        Rip = kind == 3 ? Address(random) : LongModeGuest.CodeAddress,
        Rflags = 2 | (random.OneIn(8) ? random.Next() & 0x3F_7FD5 : 0),
    };

    private sealed class ArrayWriter(int capacity) : CodeWriter
    {
        private readonly byte[] _bytes = new byte[capacity];

        public int Length { get; private set; }

        public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

        public override void WriteByte(byte value) => _bytes[Length++] = value;
    }
}
