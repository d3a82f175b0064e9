using Hyperlight.Abstractions;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Whp;

/// <summary>How the driver deals with what distinguishes this platform: each test shows one behaviour of the simulated one.</summary>
[TestFixture]
internal sealed class WhpBehaviourTests
{
    private const uint SysenterCs = 0x174;
    private const uint SpecCtrl = 0x2084;

    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [Test]
    public void RIP_is_advanced_after_OUT_whose_data_are_a_part_of_RAX()
    {
        using WhpMachine machine = new(static code =>
        {
            code.mov(rax, 0x1122_3344_5566_7788);
            code.mov(edx, 0x99);
            code.@out(dx, al);
            code.@out(dx, ax);
            code.@out(dx, eax);
            code.@out(0x42, al);
            code.hlt();
        });
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x99, 0x88, 1)));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x99, 0x7788, 2)));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x99, 0x5566_7788, 4)));
        Assert.That(machine.Machine.GetGeneralRegisters().Rip, Is.EqualTo(LongModeGuest.CodeAddress + 19));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x42, 0x88, 1)));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    public void Registers_that_are_set_after_an_OUT_replace_its_RIP()
    {
        using WhpMachine machine = new(static code =>
        {
            code.@out(0x42, al);
            code.hlt();
        });
        Assert.That(machine.Machine.Run().Reason, Is.EqualTo(VmExitReason.IoOut));
        machine.Guest.Restart();
        Assert.That(machine.Machine.GetGeneralRegisters().Rip, Is.EqualTo(LongModeGuest.CodeAddress));
        Assert.That(machine.Machine.Run().Reason, Is.EqualTo(VmExitReason.IoOut));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Each_element_of_OUTS_is_an_exit_with_data_from_memory(bool backwards)
    {
        using WhpMachine machine = new(code =>
        {
            code.mov(rsi, LongModeGuest.DataAddress + (backwards ? 4UL : 0));
            code.mov(ecx, 3);
            code.mov(edx, 0x99);
            if (backwards)
            {
                code.std();
            }

            code.rep.outsw();
            code.outsb();
            code.hlt();
        });
        machine.Guest.Memory.Write((nuint)LongModeGuest.DataAddress, [1, 2, 3, 4, 5, 6, 7, 8]);
        uint[] words = backwards ? [0x0605, 0x0403, 0x0201] : [0x0201, 0x0403, 0x0605];

        foreach (uint word in words)
        {
            Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x99, word, 2)));
        }

        GeneralRegisters registers = machine.Machine.GetGeneralRegisters();
        Assert.That(registers.Rcx, Is.Zero);
        Assert.That(registers.Rsi, Is.EqualTo(backwards ? LongModeGuest.DataAddress - 2 : LongModeGuest.DataAddress + 6));
        if (!backwards)
        {
            Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x99, 7, 1)));
            Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
        }
    }

    [Test]
    public void An_element_of_OUTS_may_lie_in_two_pages()
    {
        using WhpMachine machine = new(static code =>
        {
            code.mov(esi, (int)LongModeGuest.DataAddress + 0xFFE);
            code.mov(edx, 0x99);
            code.outsd();
        });
        machine.Guest.Memory.Write((nuint)LongModeGuest.DataAddress + 0xFFE, [1, 2, 3, 4]);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x99, 0x0403_0201, 4)));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void OUTS_without_elements_is_skipped_and_bases_of_FS_and_GS_are_added(bool givesInstructionBytes)
    {
        using WhpMachine machine = new(static code =>
        {
            code.mov(edx, 0x99);
            code.xor(ecx, ecx);
            code.rep.outsb();
            code.db(0x65, 0x6E);
            code.db(0x67, 0x64, 0x6F);
            code.hlt();
        }, traits => traits.GivesInstructionBytes = givesInstructionBytes);
        machine.Guest.Memory.Write((nuint)LongModeGuest.DataAddress, [1, 2, 3, 4, 5]);
        machine.Machine.SetMsrs([new(0xC000_0100, LongModeGuest.DataAddress), new(0xC000_0101, LongModeGuest.DataAddress)]);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x99, 1, 1)));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x99, 0x0504_0302, 4)));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    public void An_element_of_OUTS_that_is_not_mapped_is_an_instruction_that_cannot_be_emulated()
    {
        using WhpMachine machine = new(
            static code =>
            {
                code.mov(esi, (int)LongModeGuest.DataAddress);
                code.outsb();
            },
            static traits => traits.RefusesTranslations = true);
        VmExit exit = machine.Machine.Run();
        Assert.That(exit.Reason, Is.EqualTo(VmExitReason.EmulationFailure));
        Assert.That(exit.Rip, Is.EqualTo(machine.Machine.GetGeneralRegisters().Rip));
        Assert.That((byte)exit.InstructionBytes, Is.EqualTo(0x6E));
    }

    [Test]
    public void INS_is_an_IN()
    {
        using WhpMachine machine = new(static code =>
        {
            code.mov(edi, (int)LongModeGuest.DataAddress);
            code.mov(edx, 0x99);
            code.insb();
        });
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoIn(0x99, 1)));
    }

    [Test]
    public void IN_is_reported_with_port_and_size()
    {
        using WhpMachine machine = new(static code =>
        {
            code.mov(edx, 0x99);
            code.@in(eax, dx);
        });
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoIn(0x99, 4)));
    }

    [Test]
    public void Accesses_to_memory_are_told_apart()
    {
        using WhpMachine machine = new(static code =>
        {
            code.mov(rax, LongModeGuest.UnmappedAddress);
            code.mov(rbx, __[rax]);
        });
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.MmioRead(LongModeGuest.UnmappedAddress, 0)));

        using IMemoryRegion region = machine.Whp.Hypervisor.AllocateMemory(0x1000);
        machine.Machine.MapMemory(1, GuestMapping.Whole(LongModeGuest.UnmappedAddress, region, MemoryFlags.Read));
        AssertExit(machine, [0x48, 0x89, 0x18], VmExit.AccessViolation(LongModeGuest.UnmappedAddress, MemoryFlags.Write));
        machine.Machine.UnmapMemory(1);
        AssertExit(machine, [0x48, 0x89, 0x18], VmExit.MmioWrite(LongModeGuest.UnmappedAddress, 0, 0));
        AssertExit(machine, [0xFF, 0xE0], VmExit.AccessViolation(LongModeGuest.UnmappedAddress, MemoryFlags.Execute));
    }

    [TestCase(MemoryFlags.Read)]
    [TestCase(MemoryFlags.Read | MemoryFlags.Write)]
    public void Memory_is_not_executed_unless_its_mapping_permits_that(MemoryFlags flags)
    {
        using WhpMachine machine = new(static code =>
        {
            code.mov(rax, LongModeGuest.UnmappedAddress);
            code.jmp(rax);
        });
        using IMemoryRegion region = machine.Whp.Hypervisor.AllocateMemory(0x1000);
        region.Write(0, [0xF4]);
        machine.Machine.MapMemory(1, GuestMapping.Whole(LongModeGuest.UnmappedAddress, region, flags));

        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.AccessViolation(LongModeGuest.UnmappedAddress, MemoryFlags.Execute)));
    }

    [Test]
    public void Invalid_registers_are_an_unknown_exit()
    {
        using WhpMachine machine = new(static code => code.hlt());
        machine.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters with { Cr0 = 0x10 });
        Assert.That(machine.Machine.Run().RawCode, Is.EqualTo(5));
    }

    [Test]
    public void A_running_guest_is_cancelled_and_goes_on_later()
    {
        using WhpMachine machine = new(WhpMachine.Spin);
        machine.CancelSoon();
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Cancelled));

        machine.Guest.Memory.Write((nuint)LongModeGuest.CodeAddress, [0xF4]);
        machine.Machine.DiscardPendingState();
        machine.Guest.Restart();
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(machine.Whp.Hypervisor.StaleCancellations, Is.Zero);
    }

    [Test]
    public void A_cancellation_before_the_run_is_taken_by_it_once_and_calls_nothing()
    {
        using WhpMachine machine = new(static code => code.hlt());
        machine.Machine.Cancel();
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Cancelled));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(machine.Platform.Calls(SimulatedFunction.WHvCancelRunVirtualProcessor), Is.Zero);
    }

    [Test]
    public unsafe void A_cancellation_that_an_exit_has_overtaken_does_not_end_a_later_run()
    {
        using WhpMachine machine = new(static code => code.hlt());
        machine.Platform.CancelRunVirtualProcessor(machine.Platform.LastHandle, 0, 0);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(machine.Whp.Hypervisor.StaleCancellations, Is.EqualTo(1));
    }

    [Test]
    public void A_cancellation_that_the_platform_refuses_is_repeated()
    {
        using WhpMachine machine = new(WhpMachine.Spin, static traits => traits.CancellationsRefused = 3);
        machine.CancelSoon();
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Cancelled));
        Assert.That(machine.Platform.Traits.CancellationsRefused, Is.Zero);
    }

    [Test]
    public void Cancelling_never_meets_a_partition_that_is_being_deleted()
    {
        using SimulatedWhp whp = new();
        for (int i = 0; i < 50; i++)
        {
            LongModeGuest guest = new(whp.Hypervisor, WhpMachine.Spin);
            Task running = Task.Run(() =>
            {
                try
                {
                    guest.Machine.Run();
                }
                catch (ObjectDisposedException)
                {
                    // It was disposed before it ran.
                }
            });
            Task cancelling = Task.Run(() =>
            {
                for (int j = 0; j < 100; j++)
                {
                    guest.Machine.Cancel();
                }
            });
            guest.Dispose();
            Assert.That(Task.WaitAll([running, cancelling], TimeSpan.FromMinutes(2)), Is.True);
        }
    }

    [Test]
    public void Processors_are_counted_before_the_partition_is_set_up_and_features_are_hidden()
    {
        using WhpMachine machine = new(static code => code.hlt());
        SimulatedPartition partition = machine.Partition;
        Assert.Multiple(() =>
        {
            Assert.That(partition.AddressBits, Is.EqualTo(36));
            Assert.That(partition.Features[0] & (1UL << 18), Is.Zero, "PCID");
            Assert.That(partition.Features[1] & ((1UL << 8) | (1UL << 9)), Is.Zero, "CET");
            Assert.That(partition.Features[1] & (1UL << 6), Is.Zero, "nested virtualization");
            Assert.That(partition.Features[0] & 1, Is.EqualTo(1), "SSE3");
            uint[] leaf1 = partition.Cpuid.Single(static r => r.Leaf == 1).Mask;
            Assert.That(leaf1[2] & (1 << 5), Is.Not.Zero, "VMX");
            Assert.That(leaf1[2] & (1 << 21), Is.Not.Zero, "x2APIC");
            Assert.That(leaf1[2] & (1 << 27), Is.Zero, "OSXSAVE follows CR4");
            uint[] amd = partition.Cpuid.Single(static r => r.Leaf == 0x8000_0001).Mask;
            Assert.That(amd[2] & (1 << 2), Is.Not.Zero, "SVM");
            uint[] leaf7 = partition.Cpuid.Single(static r => r is { Leaf: 7, Subleaf: 0 }).Mask;
            Assert.That(leaf7[2] & (1 << 7), Is.Not.Zero, "shadow stacks");
        });
    }

    [Test]
    public void A_platform_without_masks_for_CPUID_gives_what_it_has()
    {
        using WhpMachine machine = new(static code => code.hlt(), static traits =>
        {
            traits.KnowsCpuidResultList2 = false;
            traits.ProcessorFeatures = [];
        });
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(machine.Partition.Cpuid, Is.Empty);
    }

    [Test]
    public void Events_that_a_platform_does_not_have_are_left_out()
    {
        using WhpMachine machine = new(static code => code.hlt(), static traits => traits.MissingRegisters.Add(0x8000_0006));
        machine.Machine.DiscardPendingState();
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    public void An_XSAVE_image_that_takes_several_pages_is_read_and_written()
    {
        using WhpMachine machine = new(static code => code.hlt(), static traits => traits.XsaveSize = 11_000);
        FpuRegisters fpu = FpuRegisters.Reset with { Mxcsr = 0x3F80 };
        machine.Machine.SetFpuRegisters(in fpu);
        byte[] image = new byte[machine.Machine.XsaveSize];
        machine.Machine.GetXsave(image);

        Assert.Multiple(() =>
        {
            Assert.That(machine.Machine.XsaveSize, Is.EqualTo(11_000));
            Assert.That(machine.Machine.GetFpuRegisters(), Is.EqualTo(fpu));
            Assert.That(() => machine.Machine.SetXsave(image), Throws.Nothing);
            image.AsSpan(520, 8).Clear();
            Assert.That(() => machine.Machine.SetXsave(image), Throws.TypeOf<HypervisorException>(), "the image is not compacted");
        });
    }

    [Test]
    public void An_XSAVE_image_of_an_impossible_size_is_refused()
    {
        using SimulatedWhp whp = new();
        whp.Platform.Traits.XsaveSize = 100;
        Assert.That(
            () => whp.Hypervisor.CreateVirtualMachine(new VirtualMachineOptions()),
            Throws.TypeOf<HypervisorException>().With.Message.Contains("100 bytes"));
    }

    [Test]
    public void Registers_that_the_platform_lacks_are_found_one_by_one_and_named()
    {
        using WhpMachine machine = new(static code => code.hlt(), static traits => traits.FurtherRegisters[SpecCtrl] = 5);
        uint[] writable = machine.Machine.GuestWritableMsrs.ToArray();
        Assert.That(writable, Does.Contain(SysenterCs).And.Contain(0x48u).And.Contain(0x3Bu).And.Not.Contain(0x1C4u).And.Not.Contain(0x10u));

        ModelSpecificRegister[] registers = [new(0x48), new(0x1C4)];
        var error = Assert.Throws<HypervisorException>(() => machine.Machine.GetMsrs(registers))!;
        Assert.That(error.Message, Does.Contain("register 0x2099").And.Contain("WHV_E_INVALID_VP_REGISTER_NAME"));
        Assert.That(
            () => machine.Machine.GetMsrs(new ModelSpecificRegister[] { new(0x1D9) }),
            Throws.TypeOf<HypervisorException>().With.Message.Contains("MSR 0x1D9"),
            "DEBUGCTL has no name");
    }

    [Test]
    public void As_many_range_registers_are_put_back_as_the_processor_has()
    {
        using WhpMachine machine = new(static code => code.hlt(), static traits =>
        {
            traits.FurtherRegisters[0x200D] = 2;
            for (uint i = 0; i < 4; i++)
            {
                traits.FurtherRegisters[0x2010 + i] = 0;
                traits.FurtherRegisters[0x2040 + i] = 0;
            }
        });
        Assert.That(
            machine.Machine.GuestWritableMsrs.ToArray().Where(i => i is >= 0x200 and < 0x220),
            Is.EqualTo(new uint[] { 0x200, 0x201, 0x202, 0x203 }));
    }

    [Test]
    public void A_register_that_cannot_be_put_back_is_named()
    {
        using WhpMachine machine = new(static code => code.hlt(), static traits =>
        {
            traits.FurtherRegisters[SpecCtrl] = 5;
            traits.ReadOnlyRegisters.Add(SpecCtrl);
        });
        Assert.That(() => machine.Machine.GuestWritableMsrs, Throws.TypeOf<HypervisorException>().With.Message.Contains("0x2084"));
    }

    [Test]
    public void An_additional_register_that_the_platform_lacks_is_refused_and_leaves_nothing()
    {
        using SimulatedWhp whp = new();
        Assert.That(
            () => whp.Hypervisor.CreateVirtualMachine(new VirtualMachineOptions { Msrs = MsrPolicy.Default.With(0xC001_0015) }),
            Throws.TypeOf<GuestMsrException>());
        Assert.That(whp.Platform.Partitions, Is.Zero);
    }

    [Test]
    public void Bases_of_segments_are_written_as_model_specific_registers()
    {
        using WhpMachine machine = new(static code => code.hlt());
        machine.Machine.SetMsrs([new(0xC000_0100, 0x1234_5678_9000), new(0xC000_0102, 7)]);
        SpecialRegisters special = machine.Machine.GetSpecialRegisters();
        Assert.That(special.Fs.Base, Is.EqualTo(0x1234_5678_9000));
        Assert.That(special.Cs, Is.EqualTo(LongModeGuest.SpecialRegisters.Cs));
        ModelSpecificRegister[] read = [new(0xC000_0100), new(0xC000_0102)];
        machine.Machine.GetMsrs(read);
        Assert.That(read.Select(static r => r.Value), Is.EqualTo(new ulong[] { 0x1234_5678_9000, 7 }));
    }

    [Test]
    public void A_special_register_that_waits_is_written_before_it_is_read_as_a_model_specific_one()
    {
        using WhpMachine machine = new(static code => code.hlt());
        machine.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters with { Efer = 0xD00 });
        ModelSpecificRegister[] efer = [new(0xC000_0080)];
        machine.Machine.GetMsrs(efer);
        Assert.That(efer[0].Value, Is.EqualTo(0xD00));
    }

    [Test]
    public void A_value_of_XCR0_that_the_processor_does_not_have_is_refused_at_once()
    {
        using WhpMachine machine = new(static code => code.hlt());
        ulong fresh = machine.Machine.GetXcr0();
        Assert.That(() => machine.Machine.SetXcr0(0x8000_0000), Throws.TypeOf<HypervisorException>().With.Message.Contains("register 0x27"));
        Assert.That(machine.Machine.GetXcr0(), Is.EqualTo(fresh));
        machine.Machine.SetXcr0(fresh);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    public void Registers_that_wait_are_read_back_before_the_processor_has_them()
    {
        using WhpMachine machine = new(static code => code.hlt());
        SpecialRegisters special = LongModeGuest.SpecialRegisters with { Cr2 = 0x1234 };
        DebugRegisters debug = new() { Dr0 = 0x77, Dr6 = 0xFFFF_0FF0, Dr7 = 0x400 };
        machine.Machine.SetSpecialRegisters(in special);
        machine.Machine.SetDebugRegisters(in debug);
        Assert.That(machine.Machine.GetSpecialRegisters(), Is.EqualTo(special));
        Assert.That(machine.Machine.GetDebugRegisters(), Is.EqualTo(debug));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(machine.Machine.GetSpecialRegisters().Cr2, Is.EqualTo(0x1234));
        Assert.That(machine.Machine.GetDebugRegisters(), Is.EqualTo(debug));
    }

    private static void AssertExit(WhpMachine machine, byte[] code, VmExit expected)
    {
        machine.Guest.Memory.Write((nuint)LongModeGuest.CodeAddress, code);
        machine.Machine.DiscardPendingState();
        machine.Machine.SetGeneralRegisters(new GeneralRegisters
        {
            Rax = LongModeGuest.UnmappedAddress,
            Rip = LongModeGuest.CodeAddress,
            Rflags = GeneralRegisters.RflagsReset,
        });
        Assert.That(machine.Machine.Run(), Is.EqualTo(expected));
    }
}
