using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Kvm;

/// <summary>Each kind of exit, from instructions of a guest on the machine's own KVM.</summary>
[TestFixture(true)]
[TestFixture(false)]
internal sealed class GuestExitTests(bool syncRegs)
{
    private const ulong ReadOnlyAddress = 0x20_0000;

    private KvmHypervisor _kvm = null!;

    [SetUp]
    public void Open() => _kvm = RealKvm.Open(syncRegs ? null : new WithoutSyncRegs());

    [TearDown]
    public void Close() => _kvm?.Dispose();

    [Test]
    public void OutExitsWithPortValueAndSize()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(eax, 0x8765_4321);
            c.mov(dx, 0x64);
            c.@out(dx, al);
            c.@out(dx, ax);
            c.@out(dx, eax);
            c.@out(0x6C, eax);
            c.hlt();
        });

        Assert.Multiple(() =>
        {
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x21, 1)));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x4321, 2)));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x8765_4321, 4)));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x6C, 0x8765_4321, 4)));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        });
    }

    [Test]
    public void StringOutExitsOnceForEachElement()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(esi, (uint)LongModeGuest.DataAddress);
            c.mov(ecx, 3);
            c.mov(dx, 0x70);
            c.rep.outsd();
            c.hlt();
        });
        guest.Memory.Write((nuint)LongModeGuest.DataAddress, [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0x80]);

        Assert.Multiple(() =>
        {
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x70, 1, 4)));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x70, 2, 4)));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x70, 0x8000_0003, 4)));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        });
    }

    [Test]
    public void InExitsWithPortAndSize()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(dx, 0x71);
            c.@in(ax, dx);
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoIn(0x71, 2)));
    }

    [Test]
    public void ReadOfUnmappedMemoryExits()
    {
        using LongModeGuest guest = new(_kvm, static c => c.mov(eax, __[LongModeGuest.UnmappedAddress + 8]));

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.MmioRead(LongModeGuest.UnmappedAddress + 8, 4)));
    }

    [TestCase(1, 0x88ul)]
    [TestCase(2, 0x7788ul)]
    [TestCase(4, 0x5566_7788ul)]
    [TestCase(8, 0x1122_3344_5566_7788ul)]
    public void WriteOfUnmappedMemoryExits(int size, ulong data)
    {
        using LongModeGuest guest = new(_kvm, c =>
        {
            c.mov(rax, 0x1122_3344_5566_7788);
            c.mov(ebx, (uint)LongModeGuest.UnmappedAddress);
            switch (size)
            {
                case 1: c.mov(__[rbx], al); break;
                case 2: c.mov(__[rbx], ax); break;
                case 4: c.mov(__[rbx], eax); break;
                default: c.mov(__[rbx], rax); break;
            }
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.MmioWrite(LongModeGuest.UnmappedAddress, data, (byte)size)));
    }

    [Test]
    public void WriteOfReadOnlyMemoryExitsAndChangesNothing()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(ebx, (uint)ReadOnlyAddress);
            c.mov(eax, __[rbx]);
            c.@out(0x64, eax);
            c.mov(__dword_ptr[rbx + 4], 7);
        });
        using IMemoryRegion region = _kvm.AllocateMemory(GuestPage.Size);
        region.Write(0, [0xEF, 0xBE, 0xAD, 0xDE]);
        guest.Machine.MapMemory(1, GuestMapping.Whole(ReadOnlyAddress, region, MemoryFlags.Read));

        VmExit read = guest.Machine.Run();
        VmExit write = guest.Machine.Run();
        byte[] after = new byte[8];
        region.Read(0, after);

        Assert.Multiple(() =>
        {
            Assert.That(read, Is.EqualTo(VmExit.IoOut(0x64, 0xDEAD_BEEF, 4)));
            Assert.That(write, Is.EqualTo(VmExit.MmioWrite(ReadOnlyAddress + 4, 7, 4)));
            Assert.That(after, Is.EqualTo(new byte[] { 0xEF, 0xBE, 0xAD, 0xDE, 0, 0, 0, 0 }));
        });
    }

    [Test]
    public void FaultWithoutHandlerShutsDown()
    {
        using LongModeGuest guest = new(_kvm, static c => c.ud2());

        Assert.That(guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.Shutdown));
    }

    /// <summary>A processor executes the instruction; a KVM that emulates CPL 0 cannot, and must say which one it was.</summary>
    [Test]
    public void InstructionThatKvmCannotEmulateIsNamed()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.nop();
            c.pxor(xmm0, xmm0);
            c.hlt();
        });

        VmExit exit = guest.Machine.Run();

        if (exit.Reason == VmExitReason.Halt)
        {
            Assert.That(guest.Machine.GetGeneralRegisters().Rip, Is.EqualTo(LongModeGuest.CodeAddress + 6));
            return;
        }

        Assert.Multiple(() =>
        {
            Assert.That(exit.Reason, Is.EqualTo(VmExitReason.EmulationFailure));
            Assert.That(exit.Rip, Is.EqualTo(LongModeGuest.CodeAddress + 1));
            Assert.That(exit.RawCode, Is.EqualTo(1));
            Assert.That(exit.InstructionLength, Is.Zero.Or.GreaterThanOrEqualTo(4));
            Assert.That((uint)exit.InstructionBytes, Is.Zero.Or.EqualTo(0xC0EF_0F66));
        });
    }

    /// <summary>Without a handler a breakpoint is a triple fault, where KVM can deliver it.</summary>
    [Test]
    public void BreakpointWithoutHandlerEndsTheGuest()
    {
        using LongModeGuest guest = new(_kvm, static c => c.int3());

        Assert.That(
            guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.Shutdown).Or.EqualTo(VmExitReason.EmulationFailure));
    }

    [Test]
    public void InterruptedReadDoesNotMoveTheRegistersThatReplacedItsOwn()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(rax, __[LongModeGuest.UnmappedAddress]);
            c.@out(0x65, al);
        });
        Assert.That(guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.MmioRead));

        AssertHaltsElsewhere(guest);
    }

    [Test]
    public void RestOfAWideWriteIsNotReportedAfterRegistersWereReplaced()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(ebx, (uint)LongModeGuest.UnmappedAddress);
            c.movups(__[rbx], xmm0);
            c.@out(0x65, al);
        });
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.MmioWrite(LongModeGuest.UnmappedAddress, 0, 8)));

        AssertHaltsElsewhere(guest);
    }

    [Test]
    public void InterruptedStringInstructionDoesNotWriteIntoMemoryThatWasReset()
    {
        const int Length = 0x800;
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(esi, (uint)LongModeGuest.UnmappedAddress);
            c.mov(edi, (uint)LongModeGuest.DataAddress);
            c.mov(ecx, Length);
            c.rep.movsb();
            c.@out(0x65, al);
        });
        VmExit exit = guest.Machine.Run();
        Assert.That((exit.Reason, exit.Address), Is.EqualTo((VmExitReason.MmioRead, LongModeGuest.UnmappedAddress)));
        guest.Memory.GetSpan((nuint)LongModeGuest.DataAddress, Length).Fill(0xAA);

        AssertHaltsElsewhere(guest);

        Span<byte> data = guest.Memory.GetSpan((nuint)LongModeGuest.DataAddress, Length);
        Assert.That(data.IndexOfAnyExcept((byte)0xAA), Is.EqualTo(-1));
    }

    [Test]
    public void ReadCanBeRepeatedOnceMemoryIsThere()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(eax, __[LongModeGuest.UnmappedAddress]);
            c.@out(0x64, eax);
        });
        using IMemoryRegion region = _kvm.AllocateMemory(GuestPage.Size);
        region.Write(0, [0x78, 0x56, 0x34, 0x12]);
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.MmioRead(LongModeGuest.UnmappedAddress, 4)));

        guest.Machine.MapMemory(1, GuestMapping.Whole(LongModeGuest.UnmappedAddress, region, MemoryFlags.Read));

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x1234_5678, 4)));
    }

    [Test]
    public void InterruptedInDoesNotMoveTheRegistersThatReplacedItsOwn()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.@in(eax, 0x71);
            c.@out(0x65, al);
        });
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoIn(0x71, 4)));

        AssertHaltsElsewhere(guest);
    }

    [Test]
    public void OutAtTheVeryAddressThatIsRestartedIsNotSkipped()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.@out(0x64, eax);
            c.hlt();
        });

        for (int i = 0; i < 3; i++)
        {
            guest.Restart();
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0, 4)));
        }

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    /// <summary>Makes the guest continue at another address, where it halts, and checks that nothing else happened.</summary>
    private static void AssertHaltsElsewhere(LongModeGuest guest)
    {
        const ulong Elsewhere = LongModeGuest.CodeAddress + 0x100;
        guest.Memory.Write((nuint)Elsewhere, LongModeGuest.Assemble(static c => c.hlt()));
        guest.Machine.SetGeneralRegisters(new GeneralRegisters { Rax = 5, Rip = Elsewhere, Rflags = 2 });

        VmExit exit = guest.Machine.Run();

        Assert.Multiple(() =>
        {
            Assert.That(exit, Is.EqualTo(VmExit.Halt));
            Assert.That(guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(5));
            Assert.That(guest.Machine.GetGeneralRegisters().Rip, Is.EqualTo(Elsewhere + 1));
        });
    }
}
