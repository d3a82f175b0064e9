using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>What must not be left of a guest, or lost for it, between two runs.</summary>
[TestFixture]
internal sealed class MshvResetTests
{
    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [Test]
    public void Every_pending_event_of_the_processor_is_discarded()
    {
        using SimulatedMachine machine = new(static code => code.hlt());
        Dictionary<uint, ulong> stored = machine.Kernel.LastPartition!.Processor!.Stored;
        Assert.That(stored, Has.Count.EqualTo(4), "PENDING_INTERRUPTION, INTERRUPT_STATE and two pending events");
        foreach (uint name in stored.Keys)
        {
            stored[name] = 1;
        }

        machine.Machine.DiscardPendingState();

        Assert.That(stored.Values, Is.All.Zero);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Registers_of_a_run_that_was_interrupted_before_the_guest_was_entered_are_those_of_the_next(bool hasRegisterPage)
    {
        SimulatedMshv simulated = new(LinuxKernel.Instance);
        simulated.Traits.HasRegisterPage = hasRegisterPage;
        InterruptingKernel kernel = new(simulated);
        using MshvHypervisor mshv = new(kernel);
        using LongModeGuest guest = new(mshv, static code =>
        {
            code.@out(0x10, Iced.Intel.AssemblerRegisters.al);
            code.hlt();
        });
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 0, 1)));
        guest.Machine.SetGeneralRegisters(new GeneralRegisters
        {
            Rax = 7,
            Rip = LongModeGuest.CodeAddress,
            Rflags = GeneralRegisters.RflagsReset,
        });

        kernel.BeforeNextRun = guest.Machine.Cancel;
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Cancelled));

        // Which makes the hypervisor's copy of the registers invalid.
        guest.Machine.SetXcr0(guest.Machine.GetXcr0());
        Assert.That(guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(7));
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 7, 1)));
    }

    [Test]
    public void A_policy_that_is_refused_leaves_nothing_behind()
    {
        SimulatedMshv kernel = new(LinuxKernel.Instance);
        using (MshvHypervisor mshv = new(kernel))
        {
            Assert.That(
                () => mshv.CreateVirtualMachine(new VirtualMachineOptions { Msrs = MsrPolicy.Default.With(0x1FFF) }),
                Throws.TypeOf<GuestMsrException>());

            Assert.That(
                (kernel.Partitions, kernel.VirtualProcessors, kernel.RegisterPages, kernel.OpenDescriptors),
                Is.EqualTo((0, 0, 0, 1)),
                "the device is open, and nothing else");
        }

        Assert.That(kernel.OpenDescriptors, Is.Zero);
        Assert.That(kernel.Violations, Is.Empty);
    }

    [TestCase(0xC000_0100u)]
    [TestCase(0xC000_0101u)]
    public void A_base_that_is_set_as_a_register_leaves_the_rest_of_its_segment(uint register)
    {
        using SimulatedMachine machine = new(static code => code.hlt());
        SegmentRegister segment = new() { Selector = 0x23, Limit = 0x1234, Attributes = 0x40F3 };
        SpecialRegisters special = machine.Machine.GetSpecialRegisters() with { Fs = segment, Gs = segment };
        machine.Machine.SetSpecialRegisters(in special);

        machine.Machine.SetMsrs([new ModelSpecificRegister(register, 0x7F00_1234_5000)]);

        SegmentRegister changed = segment with { Base = 0x7F00_1234_5000 };
        bool isFs = register == 0xC000_0100;
        Assert.That(
            machine.Machine.GetSpecialRegisters(),
            Is.EqualTo(special with { Fs = isFs ? changed : segment, Gs = isFs ? segment : changed }));
        ModelSpecificRegister[] read = [new(register)];
        machine.Machine.GetMsrs(read);
        Assert.That(read[0].Value, Is.EqualTo(0x7F00_1234_5000));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Flags_that_are_set_are_those_of_the_guest(bool hasRegisterPage)
    {
        using SimulatedMachine machine = new(
            static code =>
            {
                code.setc(Iced.Intel.AssemblerRegisters.al);
                code.@out(0x10, Iced.Intel.AssemblerRegisters.al);
            },
            traits => traits.HasRegisterPage = hasRegisterPage);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 0, 1)));

        const ulong carry = 1;
        machine.Machine.SetGeneralRegisters(new GeneralRegisters
        {
            Rip = LongModeGuest.CodeAddress,
            Rflags = GeneralRegisters.RflagsReset | carry,
        });

        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 1, 1)));
    }

    [Test]
    public void Every_request_is_repeated_that_a_signal_interrupts()
    {
        SimulatedMshv simulated = new(LinuxKernel.Instance);
        OftenInterruptedKernel kernel = new(simulated);
        using (MshvHypervisor mshv = new(kernel))
        using (LongModeGuest guest = new(mshv, static code => code.hlt()))
        using (IMemoryRegion region = mshv.AllocateMemory(0x1000))
        {
            guest.Machine.MapMemory(1, GuestMapping.Whole(0x10_0000, region, MemoryFlags.Read));
            guest.Machine.SetFpuRegisters(guest.Machine.GetFpuRegisters());
            guest.Machine.SetDebugRegisters(guest.Machine.GetDebugRegisters());
            Assert.That(guest.Machine.GuestWritableMsrs.Length, Is.Positive);
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
            guest.Machine.UnmapMemory(1);
        }

        Assert.That(kernel.Interrupted, Is.SupersetOf(new[]
        {
            SimulatedRequests.CreatePartition, SimulatedRequests.InitializePartition, SimulatedRequests.CreateVp,
            SimulatedRequests.SetGuestMemory, SimulatedRequests.RootHvcall, SimulatedRequests.RunVp, SimulatedRequests.GetVpState,
            SimulatedRequests.SetVpState,
        }));
        Assert.That((simulated.OpenDescriptors, simulated.PinnedRegions), Is.EqualTo((0, 0)));
        Assert.That(simulated.Violations, Is.Empty);
    }

    [Test]
    public void Memory_that_could_not_be_given_back_to_a_guest_can_be_unmapped()
    {
        SimulatedMshv simulated = new(LinuxKernel.Instance);
        simulated.Traits.SignalError = Errno.EPERM;
        InterruptingKernel kernel = new(simulated);
        using MshvHypervisor mshv = new(kernel);
        using LongModeGuest guest = new(mshv, static code => code.hlt());
        using IMemoryRegion region = mshv.AllocateMemory(0x1000);
        guest.Machine.MapMemory(1, GuestMapping.Whole(0x10_0000, region, MemoryFlags.Read));

        // The guest's memory is withdrawn to end the run, and then the kernel refuses to map slot 1 again.
        kernel.BeforeNextRun = guest.Machine.Cancel;
        kernel.RefusedAddress = 0x10_0000;
        Assert.That(guest.Machine.Run, Throws.TypeOf<HypervisorException>().With.Property(nameof(HypervisorException.ErrorCode)).EqualTo(Errno.ENOMEM));

        guest.Machine.UnmapMemory(1);
        guest.Restart();
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Cancelled), "the request stands");
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    /// <summary>Interrupts the first of two requests of each kind, and then again the third.</summary>
    private sealed class OftenInterruptedKernel(SimulatedMshv kernel) : ForwardingKernel(kernel)
    {
        private readonly Dictionary<uint, int> _counts = [];

        public ICollection<uint> Interrupted => _counts.Keys;

        public override int Ioctl(int fd, uint request, nint argument)
        {
            if (SimulatedRequests.Knows(request))
            {
                _counts[request] = _counts.GetValueOrDefault(request) + 1;
                if (_counts[request] % 2 == 1)
                {
                    return -Errno.EINTR;
                }
            }

            return base.Ioctl(fd, request, argument);
        }
    }

    /// <summary>Interrupts a run before the hypervisor has looked at the registers.</summary>
    private sealed class InterruptingKernel(SimulatedMshv kernel) : ForwardingKernel(kernel)
    {
        public Action? BeforeNextRun { get; set; }

        /// <summary>The guest physical address at which nothing can be mapped any more.</summary>
        public ulong? RefusedAddress { get; set; }

        public override int Ioctl(int fd, uint request, nint argument)
        {
            if (request == SimulatedRequests.RunVp && BeforeNextRun is { } interrupt)
            {
                BeforeNextRun = null;
                interrupt();
                return -Errno.EINTR;
            }

            return request == SimulatedRequests.SetGuestMemory && IsRefused(argument)
                ? -Errno.ENOMEM
                : base.Ioctl(fd, request, argument);
        }

        // struct mshv_user_mem_region: size, page frame number, host address, flags.
        private unsafe bool IsRefused(nint argument)
        {
            var fields = new ReadOnlySpan<ulong>((void*)argument, 4);
            bool unmaps = ((byte)fields[3] & 4) != 0;
            return fields[1] << 12 == RefusedAddress && !unmaps;
        }
    }
}
