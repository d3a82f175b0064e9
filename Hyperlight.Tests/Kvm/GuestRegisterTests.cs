using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Kvm;

/// <summary>Every register set through the machine's own KVM and back, and as its guest sees it.</summary>
[TestFixture(true)]
[TestFixture(false)]
internal sealed class GuestRegisterTests(bool syncRegs)
{
    private KvmHypervisor _kvm = null!;

    [SetUp]
    public void Open() => _kvm = RealKvm.Open(syncRegs ? null : new WithoutSyncRegs());

    [TearDown]
    public void Close() => _kvm?.Dispose();

    [Test]
    public void NewVcpuHasItsPowerOnState()
    {
        using IVirtualMachine machine = _kvm.CreateVirtualMachine(new VirtualMachineOptions());

        Assert.Multiple(() =>
        {
            Assert.That(machine.GetGeneralRegisters().Rip, Is.EqualTo(0xFFF0));
            Assert.That(machine.GetGeneralRegisters().Rflags, Is.EqualTo(2));
            Assert.That(machine.GetSpecialRegisters().Cs.Base, Is.EqualTo(0xFFFF_0000));
            Assert.That(machine.GetFpuRegisters(), Is.EqualTo(FpuRegisters.Reset));
        });
    }

    [Test]
    public void GeneralRegistersReachTheGuestAndComeBack()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.inc(rax);
            c.inc(rbx);
            c.inc(rcx);
            c.inc(rdx);
            c.inc(rsi);
            c.inc(rdi);
            c.inc(rbp);
            c.inc(rsp);
            c.inc(r8);
            c.inc(r9);
            c.inc(r10);
            c.inc(r11);
            c.inc(r12);
            c.inc(r13);
            c.inc(r14);
            c.inc(r15);
            c.hlt();
        });
        GeneralRegisters set = Numbered(0x1111_2222_3333_0000) with { Rip = LongModeGuest.CodeAddress, Rflags = 2 };
        guest.Machine.SetGeneralRegisters(set);
        Assert.That(guest.Machine.GetGeneralRegisters(), Is.EqualTo(set), "before the run");

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));

        GeneralRegisters after = guest.Machine.GetGeneralRegisters();
        Assert.That(
            after with { Rflags = 0 },
            Is.EqualTo(Numbered(0x1111_2222_3333_0001) with { Rip = LongModeGuest.CodeAddress + 49 }));
    }

    [Test]
    public void SpecialRegistersComeBackAsTheyWereSet()
    {
        using LongModeGuest guest = new(_kvm, static c => c.hlt());
        SpecialRegisters set = LongModeGuest.SpecialRegisters with
        {
            Fs = new SegmentRegister { Base = 0x7000_0000, Limit = 0xFFFF_FFFF, Selector = 0x10, Attributes = 0xC093 },
            Gs = new SegmentRegister { Base = 0xFFFF_8000_0000_0000, Limit = 0xFFFF, Attributes = 0x4093 },
            Gdtr = new DescriptorTableRegister { Base = 0xFFFF_8000_0000_1000, Limit = 0x37 },
            Idtr = new DescriptorTableRegister { Base = 0x2000, Limit = 0xFFF },
            Cr2 = 0xFFFF_FFFF_FFFF_F000,
            Cr8 = 5,
        };

        guest.Machine.SetSpecialRegisters(set);
        SpecialRegisters before = guest.Machine.GetSpecialRegisters();
        guest.Machine.Run();
        SpecialRegisters after = guest.Machine.GetSpecialRegisters();

        Assert.Multiple(() =>
        {
            Assert.That(before, Is.EqualTo(set));
            Assert.That(after, Is.EqualTo(set), "CR8 included, which KVM takes from the run page");
        });
    }

    [Test]
    public void SpecialRegistersCanBeResetTimeAfterTime()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(rax, cr2);
            c.@out(0x64, eax);
            c.inc(rax);
            c.mov(cr2, rax);
            c.hlt();
        });
        SpecialRegisters reset = LongModeGuest.SpecialRegisters with { Cr2 = 7 };

        for (int i = 0; i < 3; i++)
        {
            guest.Machine.SetSpecialRegisters(reset);
            guest.Restart();
            Assert.That(guest.Machine.GetSpecialRegisters().Cr2, Is.EqualTo(7));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 7, 4)));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
            Assert.That(guest.Machine.GetSpecialRegisters().Cr2, Is.EqualTo(8));
        }
    }

    [Test]
    public void ImpossibleSpecialRegistersAreRefused()
    {
        using LongModeGuest guest = new(_kvm, static c => c.hlt());

        // Long mode active without paging.
        HypervisorException? error = Assert.Throws<HypervisorException>(
            () => guest.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters with { Cr0 = 0x8000_0000 }));

        Assert.Multiple(() =>
        {
            Assert.That(error!.Operation, Is.EqualTo("KVM_SET_SREGS"));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt), "the old ones still hold");
        });
    }

    [Test]
    public void FpuRegistersComeBackMxcsrIncluded()
    {
        using LongModeGuest guest = new(_kvm, static c => c.hlt());
        X87Stack st = default;
        XmmRegisters xmm = default;
        for (int i = 0; i < 8; i++)
        {
            st[i] = new UInt128(0x4000ul + (ulong)i, 0x8000_0000_0000_0001ul + (ulong)i);
        }

        for (int i = 0; i < 16; i++)
        {
            xmm[i] = new UInt128((ulong)i << 60, 0x0102_0304_0506_0708ul * (ulong)i);
        }

        FpuRegisters set = new()
        {
            ControlWord = 0x27F,
            StatusWord = 0x3800,
            TagWord = 0xFF,
            LastOpcode = 0x123,
            Mxcsr = 0x3F80,
            St = st,
            Xmm = xmm,
        };

        guest.Machine.SetFpuRegisters(set);
        FpuRegisters before = guest.Machine.GetFpuRegisters();
        guest.Machine.Run();
        FpuRegisters after = guest.Machine.GetFpuRegisters();
        guest.Machine.SetFpuRegisters(FpuRegisters.Reset);
        FpuRegisters reset = guest.Machine.GetFpuRegisters();

        Assert.Multiple(() =>
        {
            Assert.That(before, Is.EqualTo(set));

            // Processors of AMD keep the last opcode only while an exception is pending, unless nothing else runs on them meanwhile.
            Assert.That(after, Is.EqualTo(set).Or.EqualTo(set with { LastOpcode = 0 }));
            Assert.That(reset, Is.EqualTo(FpuRegisters.Reset));
        });
    }

    /// <summary>LDMXCSR and STMXCSR are instructions that some KVMs cannot emulate; FXSAVE is one that all can.</summary>
    [Test]
    public void GuestSeesMxcsrThatWasReset()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(ebx, (uint)LongModeGuest.DataAddress);
            c.fxsave(__[rbx]);
            c.mov(eax, __dword_ptr[rbx + 24]);
            c.@out(0x64, eax);
            c.hlt();
        });
        guest.Machine.SetFpuRegisters(FpuRegisters.Reset with { Mxcsr = 0x1F00 });
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x1F00, 4)));

        guest.Machine.SetFpuRegisters(FpuRegisters.Reset);
        guest.Restart();

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, FpuRegisters.MxcsrReset, 4)));
    }

    [Test]
    public void ImpossibleMxcsrIsRefused()
    {
        using LongModeGuest guest = new(_kvm, static c => c.hlt());

        HypervisorException? error = Assert.Throws<HypervisorException>(
            () => guest.Machine.SetFpuRegisters(FpuRegisters.Reset with { Mxcsr = uint.MaxValue }));

        Assert.That(error!.Operation, Is.EqualTo("KVM_SET_XSAVE"));
    }

    [Test]
    public void XsaveImageComesBack()
    {
        using LongModeGuest guest = new(_kvm, static c => c.hlt());
        guest.Machine.SetFpuRegisters(FpuRegisters.Reset with { Mxcsr = 0x1FA0 });
        byte[] image = new byte[guest.Machine.XsaveSize];
        guest.Machine.GetXsave(image);

        guest.Machine.SetFpuRegisters(FpuRegisters.Reset);
        guest.Machine.SetXsave(image);
        byte[] again = new byte[image.Length];
        guest.Machine.GetXsave(again);

        Assert.Multiple(() =>
        {
            Assert.That(again, Is.EqualTo(image));
            Assert.That(guest.Machine.GetFpuRegisters().Mxcsr, Is.EqualTo(0x1FA0));
        });
    }

    [Test]
    public void DebugRegistersComeBack()
    {
        using LongModeGuest guest = new(_kvm, static c => c.hlt());
        DebugRegisters set = new() { Dr0 = 1, Dr1 = 2, Dr2 = 3, Dr3 = 4, Dr6 = 0xFFFF_0FF0, Dr7 = 0x400 };

        guest.Machine.SetDebugRegisters(set);

        Assert.That(guest.Machine.GetDebugRegisters(), Is.EqualTo(set));
    }

    [Test]
    public void ModelSpecificRegistersComeBackAndReachTheGuest()
    {
        const uint KernelGsBase = 0xC000_0102;
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(ecx, KernelGsBase);
            c.rdmsr();
            c.@out(0x64, eax);
            c.hlt();
        });
        guest.Machine.SetMsrs([new(KernelGsBase, 0x1234_5678)]);
        ModelSpecificRegister[] read = [new(KernelGsBase)];

        guest.Machine.GetMsrs(read);

        Assert.Multiple(() =>
        {
            Assert.That(read[0].Value, Is.EqualTo(0x1234_5678));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x1234_5678, 4)));
        });
    }

    [Test]
    public void Xcr0ComesBackAndReachesTheGuest()
    {
        const ulong OsXsave = 1 << 18;
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.xor(ecx, ecx);
            c.xgetbv();
            c.@out(0x64, eax);
            c.hlt();
        });
        if (guest.Machine.GetXcr0() == 0)
        {
            Assert.Ignore("this processor has no XSAVE, and therefore no XCR0");
        }

        guest.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters with { Cr4 = LongModeGuest.SpecialRegisters.Cr4 | OsXsave });
        foreach (ulong value in new ulong[] { 3, 1 })
        {
            guest.Machine.SetXcr0(value);
            Assert.That(guest.Machine.GetXcr0(), Is.EqualTo(value));
            guest.Restart();
            VmExit exit = guest.Machine.Run();
            if (exit.Reason == VmExitReason.EmulationFailure)
            {
                Assert.Ignore("this KVM executes privileged guest code by emulation, and does not know XGETBV");
            }

            Assert.That(exit, Is.EqualTo(VmExit.IoOut(0x64, (uint)value, 4)));
        }
    }

    [Test]
    public void GuestSeesTheWidthOfPhysicalAddresses()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(eax, 0x8000_0008);
            c.cpuid();
            c.@out(0x64, al);
            c.hlt();
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 36, 1)));
    }

    private static GeneralRegisters Numbered(ulong start) => new()
    {
        Rax = start,
        Rbx = start + 0x10,
        Rcx = start + 0x20,
        Rdx = start + 0x30,
        Rsi = start + 0x40,
        Rdi = start + 0x50,
        Rsp = start + 0x60,
        Rbp = start + 0x70,
        R8 = start + 0x80,
        R9 = start + 0x90,
        R10 = start + 0xA0,
        R11 = start + 0xB0,
        R12 = start + 0xC0,
        R13 = start + 0xD0,
        R14 = start + 0xE0,
        R15 = start + 0xF0,
    };
}
