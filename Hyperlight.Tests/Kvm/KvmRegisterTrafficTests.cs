using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>Which calls register access costs, and that the registers arrive, on a scripted kernel.</summary>
internal sealed class KvmRegisterTrafficTests
{
    [Test]
    public void WithSyncRegsGeneralRegistersCostNoCall()
    {
        using FakeMachine fake = new();
        GeneralRegisters first = default;

        int calls = Calls(fake, () =>
        {
            fake.Machine.SetGeneralRegisters(new GeneralRegisters { Rax = 1, Rip = 2, Rflags = 2 });
            fake.Run(static vcpu =>
            {
                vcpu.Regs.Rax += 41;
                return vcpu.ExitHalt();
            });
            first = fake.Machine.GetGeneralRegisters();
        });

        Assert.Multiple(() =>
        {
            Assert.That(first, Is.EqualTo(new GeneralRegisters { Rax = 42, Rip = 2, Rflags = 2 }));
            Assert.That(calls, Is.EqualTo(1), "KVM_RUN alone");
        });
    }

    [Test]
    public void WithoutSyncRegsEachChangeAndTheFirstReadCostOneCall()
    {
        using FakeMachine fake = new(syncRegs: false);
        GeneralRegisters registers = default;

        int calls = Calls(fake, () =>
        {
            fake.Machine.SetGeneralRegisters(new GeneralRegisters { Rax = 1, Rip = 2, Rflags = 2 });
            registers = fake.Machine.GetGeneralRegisters();
            fake.Run(static vcpu =>
            {
                vcpu.Regs.Rax += 41;
                return vcpu.ExitHalt();
            });
            registers = fake.Machine.GetGeneralRegisters();
            registers = fake.Machine.GetGeneralRegisters();
        });

        Assert.Multiple(() =>
        {
            Assert.That(registers, Is.EqualTo(new GeneralRegisters { Rax = 42, Rip = 2, Rflags = 2 }));
            Assert.That(calls, Is.EqualTo(3), "KVM_SET_REGS, KVM_RUN, KVM_GET_REGS");
        });
    }

    [TestCase(true)]
    [TestCase(false)]
    public void RegistersBeforeTheFirstRunAreThoseOfTheVcpu(bool syncRegs)
    {
        using FakeMachine fake = new(syncRegs);

        Assert.That(fake.Machine.GetGeneralRegisters().Rip, Is.EqualTo(0xFFF0));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void EveryGeneralRegisterArrives(bool syncRegs)
    {
        using FakeMachine fake = new(syncRegs);
        GeneralRegisters set = new()
        {
            Rax = 1,
            Rbx = 2,
            Rcx = 3,
            Rdx = 4,
            Rsi = 5,
            Rdi = 6,
            Rsp = 7,
            Rbp = 8,
            R8 = 9,
            R9 = 10,
            R10 = 11,
            R11 = 12,
            R12 = 13,
            R13 = 14,
            R14 = 15,
            R15 = 16,
            Rip = 17,
            Rflags = 18,
        };

        fake.Machine.SetGeneralRegisters(set);
        fake.Run(static vcpu => vcpu.ExitHalt());

        KvmRegs regs = fake.Vcpu.Regs;
        Assert.Multiple(() =>
        {
            Assert.That(
                new[]
                {
                    regs.Rax, regs.Rbx, regs.Rcx, regs.Rdx, regs.Rsi, regs.Rdi, regs.Rsp, regs.Rbp, regs.R8, regs.R9,
                    regs.R10, regs.R11, regs.R12, regs.R13, regs.R14, regs.R15, regs.Rip, regs.Rflags,
                },
                Is.EqualTo(Enumerable.Range(1, 18).Select(static n => (ulong)n)));
            Assert.That(fake.Machine.GetGeneralRegisters(), Is.EqualTo(set));
        });
    }

    [Test]
    public void SpecialRegistersArePackedAsTheHeaderSays()
    {
        using FakeMachine fake = new();
        SpecialRegisters set = new()
        {
            Cs = new SegmentRegister { Base = 0x10, Limit = 0xFFFF_FFFF, Selector = 8, Attributes = 0xB0FB },
            Tr = new SegmentRegister { Limit = 0xFFFF, Attributes = 0x8B },
            Ldtr = new SegmentRegister { Base = 0x30, Attributes = 0x4082 },
            Gdtr = new DescriptorTableRegister { Base = 0x1_0000, Limit = 0x7F },
            Idtr = new DescriptorTableRegister { Base = 0x2_0000, Limit = 0xFFF },
            Cr0 = 1,
            Cr2 = 2,
            Cr3 = 3,
            Cr4 = 4,
            Cr8 = 5,
            Efer = 6,
            ApicBase = 7,
        };

        fake.Machine.SetSpecialRegisters(set);

        KvmSregs sregs = fake.Vcpu.Sregs;
        Assert.Multiple(() =>
        {
            Assert.That(sregs.Cs, Is.EqualTo(new KvmSegment
            {
                Base = 0x10,
                Limit = 0xFFFF_FFFF,
                Selector = 8,
                Type = 0xB,
                S = 1,
                Dpl = 3,
                Present = 1,
                Avl = 1,
                L = 1,
                Db = 0,
                G = 1,
            }));
            Assert.That(sregs.Ldt.Db, Is.EqualTo(1));
            Assert.That(sregs.Ds.Unusable, Is.EqualTo(1), "a null segment");
            Assert.That((sregs.Gdt.Base, sregs.Gdt.Limit), Is.EqualTo((0x1_0000ul, (ushort)0x7F)));
            Assert.That((sregs.Idt.Base, sregs.Idt.Limit), Is.EqualTo((0x2_0000ul, (ushort)0xFFF)));
            Assert.That(
                new[] { sregs.Cr0, sregs.Cr2, sregs.Cr3, sregs.Cr4, sregs.Cr8, sregs.Efer, sregs.ApicBase },
                Is.EqualTo(new ulong[] { 1, 2, 3, 4, 5, 6, 7 }));
            Assert.That(fake.Machine.GetSpecialRegisters(), Is.EqualTo(set));
        });
    }

    [Test]
    public void SpecialRegistersThatWereAcceptedBeforeCostOneCallWhichDropsTranslations()
    {
        using FakeMachine fake = new();
        SpecialRegisters reset = new() { Cr3 = 0x1000, Efer = 0xD01 };
        fake.Machine.SetSpecialRegisters(reset);
        fake.Run(static vcpu =>
        {
            vcpu.Sregs.Cr3 = 0x7000;
            return vcpu.ExitHalt();
        });

        int calls = Calls(fake, () =>
        {
            Assert.That(fake.Machine.GetSpecialRegisters().Cr3, Is.EqualTo(0x7000), "the guest's");
            fake.Machine.SetSpecialRegisters(reset);
            Assert.That(fake.Machine.GetSpecialRegisters(), Is.EqualTo(reset));
            fake.Run(static vcpu => vcpu.ExitHalt());
        });

        Assert.Multiple(() =>
        {
            Assert.That(calls, Is.EqualTo(3), "KVM_GET_SREGS, KVM_SET_SREGS, and KVM_RUN");
            Assert.That(fake.Vcpu.Sregs.Cr3, Is.EqualTo(0x1000));
        });
    }

    [Test]
    public void TranslationsAreDroppedOnceBetweenTwoRuns()
    {
        using FakeMachine fake = new();
        SpecialRegisters reset = new() { Cr3 = 0x1000, Efer = 0xD01 };
        fake.Machine.SetSpecialRegisters(reset);

        int calls = Calls(fake, () =>
        {
            fake.Machine.SetSpecialRegisters(reset);
            fake.Machine.SetSpecialRegisters(reset);
        });

        Assert.That(calls, Is.EqualTo(1), "KVM_SET_SREGS");
    }

    [Test]
    public void GeneralRegistersOfARunThatFailedAreThoseOfTheGuest([Values] bool syncRegs)
    {
        using FakeMachine fake = new(syncRegs);
        fake.Machine.SetGeneralRegisters(new GeneralRegisters { Rax = 1, Rip = 2, Rflags = 2 });

        fake.Run(static vcpu =>
        {
            vcpu.Regs.Rax += 41;
            return vcpu.ExitMemoryFault(0x5000);
        });

        Assert.That(fake.Machine.GetGeneralRegisters().Rax, Is.EqualTo(42));
    }

    [Test]
    public void SpecialRegistersReachKvmBeforeTheMsrsThatArePartOfThem([Values] bool reads)
    {
        using FakeMachine fake = new();
        SpecialRegisters reset = new() { Efer = 0xD01 };
        fake.Machine.SetSpecialRegisters(reset);
        fake.Vcpu.Sregs.Efer = 0;
        fake.Machine.SetSpecialRegisters(reset);
        Assert.That(fake.Vcpu.Sregs.Efer, Is.Zero, "they wait for the next entry");

        if (reads)
        {
            fake.Machine.GetMsrs([new(0x10)]);
        }
        else
        {
            fake.Machine.SetMsrs([new(0x10, 1)]);
        }

        Assert.That(fake.Vcpu.Sregs.Efer, Is.EqualTo(0xD01));

        fake.Vcpu.Sregs.Efer = 1;
        fake.Run(static vcpu => vcpu.ExitHalt());
        Assert.That(fake.Vcpu.Sregs.Efer, Is.EqualTo(1), "they are loaded once");
    }

    [Test]
    public unsafe void TaskPriorityGoesIntoTheRunPageToo()
    {
        using FakeMachine fake = new();

        fake.Machine.SetSpecialRegisters(new SpecialRegisters { Cr8 = 9 });

        Assert.That(fake.Vcpu.RunPage->Cr8, Is.EqualTo(9), "KVM loads CR8 from there at each entry");
    }

    [Test]
    public void FpuImageHasMxcsrAndNothingElse()
    {
        using FakeMachine fake = new();
        Array.Fill(fake.Vcpu.Xsave, (byte)0xEE);

        fake.Machine.SetFpuRegisters(FpuRegisters.Reset);

        byte[] expected = new byte[4096];
        (expected[0], expected[1]) = (0x7F, 0x03);
        (expected[24], expected[25]) = (0x80, 0x1F);
        expected[512] = 3;
        Assert.That(fake.Vcpu.Xsave, Is.EqualTo(expected));
    }

    [Test]
    public void FpuImageIsCleanAgainAfterARead()
    {
        using FakeMachine fake = new();
        Array.Fill(fake.Vcpu.Xsave, (byte)0xEE);
        _ = fake.Machine.GetFpuRegisters();

        fake.Machine.SetFpuRegisters(FpuRegisters.Reset);

        Assert.That(fake.Vcpu.Xsave.AsSpan(576).IndexOfAnyExcept((byte)0), Is.EqualTo(-1));
    }

    [Test]
    public void LargerXsaveImageUsesTheSecondRequest()
    {
        FakeKvmKernel kernel = new();
        kernel.Capabilities[KvmCapabilities.KVM_CAP_XSAVE2] = 11008;
        using Hyperlight.Kvm.KvmHypervisor kvm = new(kernel);
        using IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());
        byte[] image = new byte[11008];
        kernel.Vcpu.Xsave[11007] = 5;

        machine.GetXsave(image);

        Assert.Multiple(() =>
        {
            Assert.That(machine.XsaveSize, Is.EqualTo(11008));
            Assert.That(image[11007], Is.EqualTo(5));
            Assert.That(kernel.Journal[^1], Is.EqualTo("KVM_GET_XSAVE2"));
            Assert.Throws<ArgumentException>(() => machine.GetXsave(new byte[4096]));
            Assert.Throws<ArgumentException>(() => machine.SetXsave(new byte[4096]));
        });
    }

    [Test]
    public void MsrsTravelInBatchesAndARefusedOneIsNamed()
    {
        using FakeMachine fake = new();
        ModelSpecificRegister[] many = [.. Enumerable.Range(0, 70).Select(static i => new ModelSpecificRegister((uint)(0x100 + i), (ulong)i))];
        foreach (ModelSpecificRegister register in many)
        {
            fake.Vcpu.Msrs[register.Index] = 0;
        }

        fake.Machine.SetMsrs(many);
        ModelSpecificRegister[] read = [.. many.Select(static register => new ModelSpecificRegister(register.Index))];
        fake.Machine.GetMsrs(read);
        HypervisorException? error = Assert.Throws<HypervisorException>(
            () => fake.Machine.SetMsrs([new(0x10, 1), new(0xDEAD, 2), new(0x10, 3)]));

        Assert.Multiple(() =>
        {
            Assert.That(read, Is.EqualTo(many));
            Assert.That(error!.Operation, Is.EqualTo("KVM_SET_MSRS of MSR 0xDEAD"));
            Assert.That(fake.Vcpu.Msrs[0x10], Is.EqualTo(1), "those before it are written, those after it are not");
        });
    }

    [TestCase(true)]
    [TestCase(false)]
    public void ReadIsFinishedBeforeItsExitIsReported(bool syncRegs)
    {
        using FakeMachine fake = new(syncRegs);
        fake.Machine.SetGeneralRegisters(new GeneralRegisters { Rcx = 1000, Rip = 0x10, Rflags = 2 });

        VmExit exit = fake.Run(static vcpu => vcpu.ExitMmio(0x5000, 4, isWrite: false));

        Assert.Multiple(() =>
        {
            Assert.That(exit, Is.EqualTo(VmExit.MmioRead(0x5000, 4)));
            Assert.That(fake.Vcpu.Runs, Is.EqualTo(2), "one entry goes no further than KVM");
            Assert.That(
                fake.Machine.GetGeneralRegisters(), Is.EqualTo(new GeneralRegisters { Rcx = 1000, Rip = 0x10, Rflags = 2 }));
        });
    }

    [Test]
    public void PiecesOfAWideWriteAreSwallowed()
    {
        using FakeMachine fake = new();

        VmExit exit = fake.Run(static vcpu => vcpu.Emulate(new FakeInstruction(new FakeOperand(FakeAccess.Write, IsMmio: true, Size: 64))));

        Assert.Multiple(() =>
        {
            Assert.That(exit, Is.EqualTo(VmExit.MmioWrite(FakeOperand.MmioAddress, 0, 8)), "the first piece");
            Assert.That(fake.Vcpu.Runs, Is.EqualTo(9));
        });
    }

    [Test]
    public void AccessThatDoesNotEndIsATypedError()
    {
        using FakeMachine fake = new();
        fake.Vcpu.EndlessPieces = true;

        HypervisorException? error = Assert.Throws<HypervisorException>(
            () => fake.Run(static vcpu => vcpu.ExitMmio(0x5000, 8, isWrite: true)));

        Assert.That(error!.Message, Does.Contain("does not come to an end"));
    }

    [TestCase(true, 0x1000ul, 0, TestName = "OutIsLeftAloneWhenRipMovesElsewhere")]
    [TestCase(true, 0xFFF0ul, 1, TestName = "OutIsFinishedWhenRipReturnsToIt")]
    [TestCase(false, 0x1000ul, 1, TestName = "OutIsFinishedWhereItsRipIsNotKnown")]
    public void UnfinishedOut(bool syncRegs, ulong rip, int extraRuns)
    {
        using FakeMachine fake = new(syncRegs);
        fake.Run(static vcpu => vcpu.ExitIoOut(1, 2));
        int runs = fake.Vcpu.Runs;

        fake.Machine.SetGeneralRegisters(new GeneralRegisters { Rip = rip });

        Assert.That(fake.Vcpu.Runs - runs, Is.EqualTo(extraRuns));
    }

    /// <summary>Requests to KVM. What a run needs of signals besides is the same whatever is done with registers.</summary>
    private static int Calls(FakeMachine fake, Action action)
    {
        // The first run of a thread and of a machine sets up signals.
        fake.Run(static vcpu => vcpu.ExitHalt());
        int before = fake.Kernel.Journal.Count;
        action();
        return fake.Kernel.Journal.Skip(before).Count(static call => call.StartsWith("KVM_", StringComparison.Ordinal));
    }
}
