using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Mshv;

/// <summary>What the kernel and its hypervisor do that a driver has to expect, each on the simulated kernel.</summary>
[TestFixture]
internal sealed class MshvBehaviourTests
{
    private const uint SysenterCs = 0x174;

    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [TestCase(true)]
    [TestCase(false)]
    public void RIP_is_moved_behind_an_OUT_whose_data_are_cut_to_its_size(bool hasRegisterPage)
    {
        using SimulatedMachine machine = new(
            static code =>
            {
                code.mov(rax, 0x1122_3344_5566_7788);
                code.@out(0x10, al);
                code.@out(0x11, ax);
                code.@out(0x12, eax);
                code.hlt();
            },
            traits => traits.HasRegisterPage = hasRegisterPage);

        Assert.Multiple(() =>
        {
            Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 0x88, 1)));
            Assert.That(machine.Machine.GetGeneralRegisters().Rip, Is.EqualTo(LongModeGuest.CodeAddress + 12));
            Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x11, 0x7788, 2)));
            Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x12, 0x5566_7788, 4)));
            Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
        });
    }

    [Test]
    public void Registers_that_are_set_after_an_OUT_win_over_the_move_behind_it()
    {
        using SimulatedMachine machine = new(static code =>
        {
            code.@out(0x10, al);
            code.hlt();
        });
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 0, 1)));
        machine.Guest.Restart();
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 0, 1)));
    }

    [Test]
    public void A_warm_run_and_its_registers_take_one_request_through_the_page()
    {
        using SimulatedMachine machine = new(static code => code.@out(0x10, al));
        machine.Machine.Run();

        Assert.That(
            machine.Requests(() =>
            {
                machine.Guest.Restart();
                machine.Machine.Run();
                _ = machine.Machine.GetGeneralRegisters();
            }),
            Is.EqualTo(new[] { "MSHV_RUN_VP" }));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void A_page_that_becomes_invalid_at_any_time_loses_nothing(int every)
    {
        using SimulatedMachine machine = new(
            static code =>
            {
                code.add(rbx, rcx);
                code.@out(0x10, al);
                code.add(rbx, rcx);
                code.hlt();
            },
            traits => traits.InvalidatesPageEvery = every);
        for (ulong i = 0; i < 5; i++)
        {
            machine.Machine.SetGeneralRegisters(new GeneralRegisters
            {
                Rip = LongModeGuest.CodeAddress,
                Rbx = 100,
                Rcx = i,
                Rflags = GeneralRegisters.RflagsReset,
            });
            machine.Machine.SetXcr0(machine.Machine.GetXcr0());
            Assert.That(machine.Machine.Run().Reason, Is.EqualTo(VmExitReason.IoOut));
            machine.Machine.SetXcr0(machine.Machine.GetXcr0());
            Assert.That(machine.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(100 + i));
            Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
            Assert.That(machine.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(100 + (2 * i)));
        }
    }

    [TestCase(1, 0)]
    [TestCase(5, 0)]
    [TestCase(0, 3)]
    [TestCase(2, 4)]
    public void Hypercalls_that_complete_in_part_or_find_too_little_memory_are_continued(int repsAtOnce, int shortages)
    {
        using SimulatedMachine machine = new(static code => code.hlt());
        machine.Kernel.Traits.RepsAtOnce = repsAtOnce;
        machine.Kernel.Traits.MemoryShortages = shortages;
        SpecialRegisters special = LongModeGuest.SpecialRegisters with { Cr2 = 0x1234, Gdtr = new() { Base = 0x5000, Limit = 0x77 } };

        machine.Machine.SetSpecialRegisters(in special);
        machine.Kernel.Traits.MemoryShortages = shortages;

        Assert.That(machine.Machine.GetSpecialRegisters(), Is.EqualTo(special));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    public void Overlapping_memory_is_refused_and_the_slot_stays_free()
    {
        using SimulatedMachine machine = new(static code => code.hlt());
        using IMemoryRegion region = machine.Hypervisor.AllocateMemory(0x2000);
        var error = Assert.Throws<HypervisorException>(
            () => machine.Machine.MapMemory(1, GuestMapping.Whole(0xF000, region, MemoryFlags.Read)))!;
        Assert.That(error.ErrorCode, Is.EqualTo(Errno.EEXIST));

        machine.Machine.MapMemory(1, GuestMapping.Whole(0x10_0000, region, MemoryFlags.Read));
        machine.Machine.UnmapMemory(1);
        Assert.That(() => machine.Machine.UnmapMemory(1), Throws.TypeOf<InvalidOperationException>());
    }

    [Test]
    public void Several_machines_see_one_region_that_stays_writable_for_pinning()
    {
        using SimulatedMachine first = new(static code =>
        {
            code.mov(rax, LongModeGuest.UnmappedAddress);
            code.mov(rbx, __[rax]);
            code.hlt();
        });
        using IMemoryRegion shared = first.Hypervisor.AllocateMemory(0x1000);
        shared.Write(0, BitConverter.GetBytes(42UL));
        shared.MakeReadOnly();
        Assert.That(() => shared.Write(0, [1]), Throws.TypeOf<NotSupportedException>());

        using LongModeGuest second = new(first.Hypervisor, first.Guest.Memory.GetSpan(0x8000, 32));
        foreach (LongModeGuest guest in new[] { first.Guest, second })
        {
            guest.Machine.MapMemory(1, GuestMapping.Whole(LongModeGuest.UnmappedAddress, shared, MemoryFlags.Read));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
            Assert.That(guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(42));
        }
    }

    [Test]
    public void Large_memory_is_cleared_in_place_while_it_is_mapped()
    {
        using SimulatedMachine machine = new(static code => code.hlt());
        using IMemoryRegion region = machine.Hypervisor.AllocateMemory(4 << 20);
        region.Write(3 << 20, [1, 2, 3]);
        machine.Machine.MapMemory(1, GuestMapping.Whole(0x100_0000, region, MemoryFlags.Read | MemoryFlags.Write));

        region.Clear(0, 4 << 20);

        byte[] read = new byte[3];
        region.Read(3 << 20, read);
        Assert.That(read, Is.All.Zero);
    }

    [Test]
    public void A_run_that_has_to_be_tried_again_is()
    {
        using SimulatedMachine machine = new(static code => code.hlt());
        machine.Kernel.Traits.RunsToTryAgain = 3;
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    public void A_run_that_is_interrupted_without_a_request_goes_on()
    {
        using SimulatedMachine machine = new(static code => code.hlt());
        machine.Kernel.Traits.RunsInterrupted = 3;
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    /// <summary>The guest is past its OUT: were the message dropped, the host would never see it.</summary>
    [Test]
    public void A_message_that_was_in_flight_at_a_cancellation_is_reported_and_the_cancellation_once_after_it()
    {
        using SimulatedMachine machine = new(static code =>
        {
            Label loop = code.CreateLabel();
            code.mov(rcx, 0);
            code.Label(ref loop);
            code.cmp(__qword_ptr[(long)LongModeGuest.DataAddress], rcx);
            code.je(loop);
            code.@out(0x10, al);
            code.hlt();
        });
        machine.Kernel.Traits.MessagesInFlight = 1;
        Task.Run(() =>
        {
            while (!machine.Kernel.IsAnyRunning)
            {
                Thread.Yield();
            }

            machine.Machine.Cancel();
            while (machine.Kernel.Traits.MessagesInFlight > 0)
            {
                Thread.Yield();
            }

            machine.Guest.Memory.Write((nuint)LongModeGuest.DataAddress, BitConverter.GetBytes(1UL));
        });

        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 0, 1)));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Cancelled));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt), "behind the OUT");
    }

    [TestCase(0)]
    [TestCase(3)]
    [EndsWithin(300)]
    public void A_running_guest_is_cancelled_even_if_signals_are_missed(int missed)
    {
        using SimulatedMachine machine = new(Spin);
        machine.Kernel.Traits.SignalsMissed = missed;
        CancelSoon(machine);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Cancelled));
    }

    /// <summary>Signals cannot be sent; or they are sent, and have no effect, as the thread blocks them.</summary>
    [TestCase(Errno.EPERM, 0)]
    [TestCase(0, int.MaxValue)]
    [EndsWithin(300)]
    public void A_running_guest_is_cancelled_without_signals_and_goes_on_later(int error, int missed)
    {
        using SimulatedMachine machine = new(Spin);
        machine.Kernel.Traits.SignalError = error;
        machine.Kernel.Traits.SignalsMissed = missed;
        CancelSoon(machine);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Cancelled));

        machine.Guest.Memory.Write((nuint)LongModeGuest.CodeAddress, [0xF4]);
        machine.Machine.DiscardPendingState();
        machine.Guest.Restart();
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    public void A_cancellation_before_the_run_is_taken_by_it_once()
    {
        using SimulatedMachine machine = new(static code => code.hlt());
        machine.Machine.Cancel();
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Cancelled));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    public void Synthetic_features_are_hidden_before_the_partition_is_initialised()
    {
        using SimulatedMachine machine = new(static code => code.hlt());
        List<string> journal = machine.Kernel.Journal;
        int initialised = journal.IndexOf("MSHV_INITIALIZE_PARTITION");
        Assert.That(initialised, Is.GreaterThan(0));
        Assert.That(journal.LastIndexOf("HVCALL_SET_PARTITION_PROPERTY"), Is.LessThan(initialised).And.GreaterThan(0));
        Assert.That(machine.Kernel.LastPartition!.HidesSyntheticFeatures, Is.True);
        Assert.That(machine.Kernel.LastPartition!.AddressBits, Is.EqualTo(36));
    }

    [Test]
    public void A_refused_property_is_reported_with_the_status_of_the_hypervisor()
    {
        SimulatedMshv kernel = new(LinuxKernel.Instance);
        using MshvHypervisor mshv = new(kernel);
        Assert.That(mshv.Probe().IsUsable, Is.True);
        kernel.Traits.PropertyStatus = 113;

        var error = Assert.Throws<HypervisorException>(() => mshv.CreateVirtualMachine(new VirtualMachineOptions()))!;

        Assert.That(error.Message, Does.Contain("HVCALL_SET_PARTITION_PROPERTY with hypervisor status 113").And.Contain("EIO"));
        Assert.That(kernel.Partitions, Is.Zero);
    }

    [Test]
    public void An_XSAVE_image_that_takes_several_pages_is_read_and_written()
    {
        using SimulatedMachine machine = new(static code => code.hlt(), traits => traits.XsaveSize = 11_000);
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
    public void Registers_that_the_hypervisor_lacks_are_found_one_by_one()
    {
        using SimulatedMachine machine = new(static code => code.hlt(), static traits => traits.FurtherRegisters[0x0008_0084] = 5);
        uint[] writable = machine.Machine.GuestWritableMsrs.ToArray();
        Assert.That(writable, Does.Contain(SysenterCs).And.Contain(0x48u).And.Contain(0x3Bu).And.Not.Contain(0x1C4u).And.Not.Contain(0x10u));

        ModelSpecificRegister[] registers = [new(0x48), new(0x1C4)];
        var error = Assert.Throws<HypervisorException>(() => machine.Machine.GetMsrs(registers))!;
        Assert.That(error.Message, Does.Contain("register 0x80099"));
    }

    [Test]
    public void As_many_range_registers_are_put_back_as_the_processor_has()
    {
        using SimulatedMachine machine = new(static code => code.hlt(), static traits =>
        {
            traits.FurtherRegisters[0x0008_000D] = 2;
            for (uint i = 0; i < 4; i++)
            {
                traits.FurtherRegisters[0x0008_0010 + i] = 0;
                traits.FurtherRegisters[0x0008_0040 + i] = 0;
            }
        });
        Assert.That(
            machine.Machine.GuestWritableMsrs.ToArray().Where(i => i is >= 0x200 and < 0x220),
            Is.EqualTo(new uint[] { 0x200, 0x201, 0x202, 0x203 }));
    }

    [Test]
    public void A_register_that_cannot_be_put_back_is_named()
    {
        using SimulatedMachine machine = new(static code => code.hlt(), static traits =>
        {
            traits.FurtherRegisters[0x0008_0084] = 5;
            traits.ReadOnlyRegisters.Add(0x0008_0084);
        });
        Assert.That(() => machine.Machine.GuestWritableMsrs, Throws.TypeOf<HypervisorException>().With.Message.Contains("0x80084"));
    }

    [Test]
    public void Accesses_to_memory_are_told_apart()
    {
        using SimulatedMachine machine = new(static code =>
        {
            code.mov(rax, LongModeGuest.UnmappedAddress);
            code.mov(rbx, __[rax]);
        });
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.MmioRead(LongModeGuest.UnmappedAddress, 0)));

        using IMemoryRegion region = machine.Hypervisor.AllocateMemory(0x1000);
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
        using SimulatedMachine machine = new(static code =>
        {
            code.mov(rax, LongModeGuest.UnmappedAddress);
            code.jmp(rax);
        });
        using IMemoryRegion region = machine.Hypervisor.AllocateMemory(0x1000);
        region.Write(0, [0xF4]);
        machine.Machine.MapMemory(1, GuestMapping.Whole(LongModeGuest.UnmappedAddress, region, flags));

        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.AccessViolation(LongModeGuest.UnmappedAddress, MemoryFlags.Execute)));
    }

    [Test]
    public void Invalid_registers_are_an_unknown_exit()
    {
        using SimulatedMachine machine = new(static code => code.hlt());
        machine.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters with { Cr0 = 0x10 });
        Assert.That(machine.Machine.Run().RawCode, Is.EqualTo(0x8000_0020));
    }

    [Test]
    [EndsWithin(300)]
    public void Other_threads_wait_for_registers_while_a_guest_runs()
    {
        using SimulatedMachine machine = new(Spin);
        Task<DebugRegisters>? reading = null;
        Task started = Task.Run(() =>
        {
            while (!machine.Kernel.IsAnyRunning)
            {
                Thread.Yield();
            }

            reading = Task.Run(machine.Machine.GetDebugRegisters);
            Thread.Sleep(50);
            Assert.That(reading.IsCompleted, Is.False);
            machine.Machine.Cancel();
        });
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Cancelled));
        Assert.That(started.Wait(TimeSpan.FromMinutes(1)), Is.True);
        Assert.That(reading!.Wait(TimeSpan.FromMinutes(1)), Is.True);
    }

    private static void Spin(Assembler code)
    {
        Label loop = code.CreateLabel();
        code.Label(ref loop);
        code.jmp(loop);
    }

    private static void CancelSoon(SimulatedMachine machine) => Task.Run(() =>
    {
        while (!machine.Kernel.IsAnyRunning)
        {
            Thread.Yield();
        }

        machine.Machine.Cancel();
    });

    /// <summary>RAX is an address that nothing backs at first.</summary>
    private static void AssertExit(SimulatedMachine machine, byte[] code, VmExit expected)
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
