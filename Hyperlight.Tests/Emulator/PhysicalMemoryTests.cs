using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>Where mappings end, what they permit, and accesses that are in one in part.</summary>
[TestFixture]
internal sealed class PhysicalMemoryTests
{
    private const ulong Address = 0x1000_0000;
    private const ulong Size = 0x2000;
    private const int PageDirectory = 0x3000;
    private const MemoryFlags ReadWrite = MemoryFlags.Read | MemoryFlags.Write;

    private readonly EmulatorHypervisor _emulator = new();

    [Test]
    public void Memory_ends_with_its_last_byte()
    {
        using Guest guest = new(_emulator, ReadWrite | MemoryFlags.Execute);

        Assert.That(guest.Run(Address + Size - 8, c => { c.mov(rax, __[rbx]); c.mov(__[rbx], rax); c.hlt(); }), Is.EqualTo(VmExit.Halt));
        Assert.That(guest.Run(Address + Size, c => c.mov(rax, __[rbx])), Is.EqualTo(VmExit.MmioRead(Address + Size, 8)));
        Assert.That(guest.Run(Address + Size, c => c.mov(__byte_ptr[rbx], 7)), Is.EqualTo(VmExit.MmioWrite(Address + Size, 7, 1)));
        Assert.That(guest.Run(Address + Size, c => c.jmp(rbx)), Is.EqualTo(VmExit.AccessViolation(Address + Size, MemoryFlags.Execute)));
        Assert.That(guest.Run(Address - 8, c => c.mov(rax, __[rbx])), Is.EqualTo(VmExit.MmioRead(Address - 8, 8)));
    }

    [TestCase(Address - Size, true)]
    [TestCase(Address - Size + 0x1000, false)]
    [TestCase(Address, false)]
    [TestCase(Address + Size - 0x1000, false)]
    [TestCase(Address + Size, true)]
    public void A_mapping_has_no_page_of_another(ulong address, bool fits)
    {
        using Guest guest = new(_emulator, ReadWrite);
        using IMemoryRegion region = _emulator.AllocateMemory((nuint)Size);

        Assert.That(
            () => guest.Machine.MapMemory(2, GuestMapping.Whole(address, region, ReadWrite)),
            fits ? Throws.Nothing : Throws.TypeOf<HypervisorException>().With.Message.Contains("overlaps"));
    }

    [TestCase(MemoryFlags.Read, false)]
    [TestCase(ReadWrite, false)]
    [TestCase(MemoryFlags.Read | MemoryFlags.Execute, true)]
    [TestCase(ReadWrite | MemoryFlags.Execute, true)]
    public void Memory_is_not_executed_unless_its_mapping_permits_that(MemoryFlags flags, bool permits)
    {
        using Guest guest = new(_emulator, flags);
        guest.Region.Write(0, [0xF4]);

        Assert.That(
            guest.Run(Address, c => c.jmp(rbx)),
            Is.EqualTo(permits ? VmExit.Halt : VmExit.AccessViolation(Address, MemoryFlags.Execute)));
    }

    /// <summary>The exit names the first byte that is in no memory.</summary>
    [Test]
    public void A_store_that_leaves_memory_writes_nothing([Values(2, 4, 8)] int size, [Values] bool begins)
    {
        const ulong value = 0x8877_6655_4433_2211;
        using Guest guest = new(_emulator, ReadWrite);
        ulong start = (begins ? Address + Size : Address) - 1;

        VmExit exit = guest.Run(start, c =>
        {
            c.mov(rax, value);
            switch (size)
            {
                case 2: c.mov(__[rbx], ax); break;
                case 4: c.mov(__[rbx], eax); break;
                default: c.mov(__[rbx], rax); break;
            }
        });

        Assert.That(exit, Is.EqualTo(begins ? VmExit.MmioWrite(Address + Size, 0x22, 1) : VmExit.MmioWrite(start, 0x11, 1)));
        Assert.That(guest.Region.GetSpan(0, (int)Size).ContainsAnyExcept((byte)0), Is.False);
    }

    /// <summary>A page fault comes first, as the addresses are translated before anything is read.</summary>
    [Test]
    public void A_load_of_which_a_page_is_not_there_faults_also_where_the_other_is_no_memory()
    {
        const ulong end = 0x1020_0000;
        using Guest guest = new(_emulator, ReadWrite);
        BinaryPrimitives.WriteUInt64LittleEndian(guest.Long.Memory.GetSpan((nuint)(PageDirectory + ((end >> 21) * 8)), 8), 0);

        // Without handlers a fault is the end of the machine.
        Assert.That(guest.Run(end - 4, c => c.mov(rax, __[rbx])), Is.EqualTo(VmExit.Shutdown));
        Assert.That(guest.Machine.GetSpecialRegisters().Cr2, Is.EqualTo(end));
        Assert.That(guest.Run(end - 8, c => c.mov(rax, __[rbx])), Is.EqualTo(VmExit.MmioRead(end - 8, 8)));
    }

    /// <summary>A guest with memory at an address of its own.</summary>
    private sealed class Guest : IDisposable
    {
        public Guest(EmulatorHypervisor emulator, MemoryFlags flags)
        {
            Long = new LongModeGuest(emulator, c => c.hlt());
            Region = emulator.AllocateMemory((nuint)Size);
            Machine.MapMemory(1, GuestMapping.Whole(Address, Region, flags));
        }

        public LongModeGuest Long { get; }

        public IMemoryRegion Region { get; }

        public IVirtualMachine Machine => Long.Machine;

        /// <summary>Executes code with an address in RBX.</summary>
        public VmExit Run(ulong rbx, Action<Assembler> code)
        {
            Long.Memory.Write((nuint)LongModeGuest.CodeAddress, LongModeGuest.Assemble(code));
            Long.Restart();
            Machine.SetGeneralRegisters(Machine.GetGeneralRegisters() with { Rbx = rbx });
            return Machine.Run();
        }

        public void Dispose()
        {
            Long.Dispose();
            Region.Dispose();
        }
    }
}
