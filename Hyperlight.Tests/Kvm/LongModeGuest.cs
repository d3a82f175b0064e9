using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Iced.Intel;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// A few instructions in 64-bit mode at CPL 0. The first gibibyte is mapped one to one by 2 MiB pages; memory backs the
/// first 64 KiB of it, in slot 0: the rest is for the test to map, or to leave unmapped.
/// </summary>
internal sealed class LongModeGuest : IDisposable
{
    public const ulong CodeAddress = 0x8000;
    public const ulong DataAddress = 0xC000;
    public const ulong StackTop = 0xF000;
    public const ulong UnmappedAddress = 0x1000_0000;
    private const nuint MemorySize = 0x10000;
    private const int RootTable = 0x1000;
    private const int PageDirectories = 0x2000;
    private const int PageDirectory = 0x3000;

    public LongModeGuest(IHypervisor hypervisor, params ReadOnlySpan<byte> code)
    {
        Memory = hypervisor.AllocateMemory(MemorySize);
        try
        {
            Machine = hypervisor.CreateVirtualMachine(new VirtualMachineOptions());
            Machine.MapMemory(0, GuestMapping.Whole(0, Memory, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));
            BuildPageTables(Memory.GetSpan(0, (int)MemorySize));
            Memory.Write((nuint)CodeAddress, code);
            Machine.SetSpecialRegisters(SpecialRegisters);
            Restart();
        }
        catch
        {
            Machine?.Dispose();
            Memory.Dispose();
            throw;
        }
    }

    public LongModeGuest(IHypervisor hypervisor, Action<Assembler> code)
        : this(hypervisor, Assemble(code))
    {
    }

    /// <summary>The special registers that the guest ABI prescribes, with this guest's page tables.</summary>
    public static SpecialRegisters SpecialRegisters => new()
    {
        Cs = new SegmentRegister { Attributes = 0x209B },
        Tr = new SegmentRegister { Limit = 0xFFFF, Attributes = 0x8B },
        Cr0 = 0x8005_0033,
        Cr3 = RootTable,
        Cr4 = 0x620,
        Efer = 0xD01,
    };

    public IMemoryRegion Memory { get; }

    public IVirtualMachine Machine { get; }

    /// <summary>Translates instructions for <see cref="CodeAddress"/>.</summary>
    public static byte[] Assemble(Action<Assembler> code)
    {
        Assembler assembler = new(64);
        code(assembler);
        using MemoryStream stream = new();
        assembler.Assemble(new StreamCodeWriter(stream), CodeAddress);
        return stream.ToArray();
    }

    /// <summary>Sets RIP to the first instruction, and every other register to its value at the start.</summary>
    public void Restart() => Machine.SetGeneralRegisters(new GeneralRegisters
    {
        Rip = CodeAddress,
        Rsp = StackTop,
        Rflags = GeneralRegisters.RflagsReset,
    });

    public void Dispose()
    {
        using (Memory)
        {
            Machine.Dispose();
        }
    }

    /// <summary>Writes the page tables to where <see cref="SpecialRegisters"/> has them.</summary>
    public static void BuildPageTables(Span<byte> memory)
    {
        const ulong PresentWritable = 3;
        const ulong LargePage = 0x80;
        BinaryPrimitives.WriteUInt64LittleEndian(memory[RootTable..], PageDirectories | PresentWritable);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[PageDirectories..], PageDirectory | PresentWritable);
        for (int i = 0; i < 512; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(
                memory[(PageDirectory + (i * 8))..], ((ulong)i << 21) | PresentWritable | LargePage);
        }
    }
}
