using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>Signals of the thread that runs a guest, and guests that no signal reaches, on a scripted kernel.</summary>
internal sealed class KvmCancellationTests
{
    private const ulong Others = 0xF0;
    private const ulong MemoryAddress = 0x1000;

    [Test]
    public void GuestRunsWithTheThreadsSignalsBlockedButTheKick()
    {
        using FakeMachine fake = new();
        fake.Kernel.BlockSignals(Others | KickSignal.Default.Set, out _);

        fake.Run(static vcpu => vcpu.ExitHalt());
        fake.Run(static vcpu => vcpu.ExitHalt());

        Assert.Multiple(() =>
        {
            Assert.That(fake.Vcpu.SignalMask, Is.EqualTo(Others));
            Assert.That(fake.Kernel.Journal.Count(static call => call == "KVM_SET_SIGNAL_MASK"), Is.EqualTo(1));
            Assert.That(fake.Kernel.BlockedSignals, Is.EqualTo(Others | KickSignal.Default.Set), "the thread blocked it itself");
        });
    }

    [Test]
    public void GuestRunsWithTheSignalsThatItsThreadBlocksThen()
    {
        using FakeMachine fake = new();
        fake.Run(static vcpu => vcpu.ExitHalt());
        Assert.That(fake.Vcpu.SignalMask, Is.Zero);

        fake.Kernel.BlockSignals(Others, out _);
        fake.Run(static vcpu => vcpu.ExitHalt());

        Assert.That(fake.Vcpu.SignalMask, Is.EqualTo(Others));
    }

    [TestCase(23)]
    [TestCase(10)]
    [TestCase(64)]
    public void TheSignalIsBlockedWhileTheGuestRunsAndNotAfterwards(int signal)
    {
        using FakeMachine fake = new(options: new KvmOptions { CancellationSignal = signal });
        fake.Kernel.BlockSignals(Others, out _);
        ulong during = 0;

        int calls = fake.Count("rt_sigprocmask", () => fake.Run(vcpu =>
        {
            during = fake.Kernel.BlockedSignals;
            return vcpu.ExitHalt();
        }));

        Assert.Multiple(() =>
        {
            Assert.That(during, Is.EqualTo(Others | (1UL << (signal - 1))));
            Assert.That(fake.Kernel.BlockedSignals, Is.EqualTo(Others));
            Assert.That(calls, Is.EqualTo(2));
        });
    }

    [Test]
    public void TheThreadsSignalsAreAsTheyWereAfterAFailureAndACancellation()
    {
        using FakeMachine fake = new();
        fake.Kernel.BlockSignals(Others, out _);

        Assert.That(() => fake.Run(static _ => -Errno.EINVAL), Throws.TypeOf<HypervisorException>());
        Assert.That(fake.Kernel.BlockedSignals, Is.EqualTo(Others));
        fake.Machine.Cancel();
        Assert.That(fake.Run(static vcpu => vcpu.ExitHalt()), Is.EqualTo(VmExit.Cancelled));
        Assert.That(fake.Kernel.BlockedSignals, Is.EqualTo(Others));
        Assert.That(CancelWhileInside(fake, static vcpu => -Errno.EINTR), Is.EqualTo(VmExit.Cancelled));
        Assert.That(fake.Kernel.BlockedSignals, Is.EqualTo(Others));
    }

    [TestCase(10)]
    [TestCase(23)]
    [TestCase(40)]
    public void TheConfiguredSignalIsSent(int signal)
    {
        using FakeMachine fake = new(options: new KvmOptions { CancellationSignal = signal });
        int sent = 0;
        fake.Kernel.OnSendSignal = (_, number) =>
        {
            sent = number;
            return 0;
        };

        Assert.That(CancelWhileInside(fake, static _ => -Errno.EINTR), Is.EqualTo(VmExit.Cancelled));
        Assert.That(sent, Is.EqualTo(signal));
    }

    [TestCase(0)]
    [TestCase(9)]
    [TestCase(11)]
    [TestCase(17)]
    [TestCase(34)]
    [TestCase(65)]
    public void ASignalWithAnotherUseIsRefused(int signal) => Assert.That(
        () => new KvmOptions { CancellationSignal = signal }, Throws.TypeOf<ArgumentOutOfRangeException>());

    /// <summary>Whatever exit the vCPU reports without its memory, the guest was cancelled.</summary>
    [TestCase(Errno.EAGAIN)]
    [TestCase(Errno.EPERM)]
    [EndsWithin(60)]
    public void WithoutASignalTheGuestsMemoryIsInaccessibleUntilItLeaves(int error)
    {
        Func<FakeVcpu, int>[] reports =
        [
            static vcpu => vcpu.ExitShutdown(), static vcpu => vcpu.ExitInternalError(new KvmRunInternalError { Suberror = 1 }), static vcpu => vcpu.ExitHalt(),
            static _ => -Errno.EFAULT, static _ => -Errno.EINTR, static _ => -Errno.EINVAL,
        ];
        foreach (Func<FakeVcpu, int> report in reports)
        {
            using FakeMachine fake = new();
            using IMemoryRegion memory = fake.Allocate(3 * GuestPage.Size);
            fake.Machine.MapMemory(0, new GuestMapping(MemoryAddress, memory, 0, GuestPage.Size, MemoryFlags.Read));
            fake.Machine.MapMemory(7, GuestMapping.Whole(2 * MemoryAddress, memory, MemoryFlags.Read | MemoryFlags.Write));
            (KvmUserspaceMemoryRegion, bool)[] before = fake.Kernel.NewestSlots();
            int mappings = fake.Kernel.LiveMappings;
            fake.Kernel.OnSendSignal = (_, _) => -error;
            bool isInaccessible = false;
            bool isReserved = false;
            uint[] flags = [];

            VmExit exit = CancelWhileInside(fake, vcpu =>
            {
                isInaccessible = IsInaccessible(fake.Kernel);
                isReserved = fake.Kernel.NewestSlots().All(s => fake.Kernel.IsMapped(s.Slot.UserspaceAddr, s.Slot.MemorySize));
                flags = [.. fake.Kernel.NewestSlots().Select(static s => s.Slot.Flags)];
                return report(vcpu);
            });

            Assert.Multiple(() =>
            {
                Assert.That(exit, Is.EqualTo(VmExit.Cancelled));
                Assert.That(isInaccessible, Is.True, "while the vCPU leaves");
                Assert.That(isReserved, Is.True, "nothing else can be mapped there");
                Assert.That(flags, Is.EqualTo(new uint[2]), "KVM would report a write to memory that is read-only");
                Assert.That(fake.Kernel.LiveMappings, Is.EqualTo(mappings));
                Assert.That(fake.Kernel.NewestSlots(), Is.EqualTo(before), "it has its memory again");
            });
            Assert.That(fake.Run(static vcpu => vcpu.ExitHalt()), Is.EqualTo(VmExit.Halt));
            fake.Machine.UnmapMemory(7);
            fake.Machine.UnmapMemory(0);
        }
    }

    /// <summary>The vCPU reports an exit while another thread is about to take its memory: it may be because of that.</summary>
    [Test]
    [EndsWithin(60)]
    public void ExitThatComesWhileMemoryIsTakenAwayIsTheCancellation()
    {
        using FakeMachine fake = new();
        using IMemoryRegion memory = fake.Allocate(GuestPage.Size);
        fake.Machine.MapMemory(0, GuestMapping.Whole(MemoryAddress, memory, MemoryFlags.Read));
        using ManualResetEventSlim isSending = new();
        fake.Kernel.OnSendSignal = (_, _) =>
        {
            isSending.Set();
            Thread.Sleep(100);
            return -Errno.EPERM;
        };
        Thread canceller = new(fake.Machine.Cancel);

        VmExit exit = fake.Run(vcpu =>
        {
            canceller.Start();
            isSending.Wait();
            return vcpu.ExitShutdown();
        });
        canceller.Join();

        Assert.That(exit, Is.EqualTo(VmExit.Cancelled));
        fake.Machine.UnmapMemory(0);
    }

    [Test]
    [EndsWithin(60)]
    public void MemoryThatCannotBeTakenAwayAtOnceIsTakenAwayLater()
    {
        RegionRefusals refusals = new(new FakeKvmKernel { OnSendSignal = static (_, _) => -Errno.EPERM });
        using KvmHypervisor kvm = new(refusals);
        using IVirtualMachine machine = NewMachine(kvm);
        refusals.Inner.OnRun = vcpu =>
        {
            Assert.That(machine.Cancel, Throws.Nothing);
            SpinWait.SpinUntil(() => IsInaccessible(refusals.Inner));
            return -Errno.EFAULT;
        };
        refusals.Removals = 5;
        refusals.Additions = 3;
        refusals.Reservations = 2;

        Assert.That(machine.Run(), Is.EqualTo(VmExit.Cancelled));
        Assert.That((refusals.Removals, refusals.Additions, refusals.Reservations), Is.EqualTo((0, 0, 0)));
        Assert.That(refusals.Inner.NewestSlots(), Has.Length.EqualTo(2).And.All.Matches<(KvmUserspaceMemoryRegion, bool IsAccessible)>(
            static slot => slot.IsAccessible));
    }

    [Test]
    [EndsWithin(60)]
    public void MachineWithoutMemoryIsCancelledAtItsNextEntry()
    {
        using FakeMachine fake = new();
        fake.Kernel.OnSendSignal = static (_, _) => -Errno.EPERM;

        Assert.That(CancelWhileInside(fake, static vcpu => vcpu.ExitHalt()), Is.EqualTo(VmExit.Halt));

        Assert.That(fake.Run(static vcpu => vcpu.ExitHalt()), Is.EqualTo(VmExit.Cancelled));
        Assert.That(fake.Run(static vcpu => vcpu.ExitHalt()), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    [EndsWithin(60)]
    public void MachineThatWasForcedOutLeavesNothingBehind()
    {
        RegionRefusals refusals = new(new FakeKvmKernel { OnSendSignal = static (_, _) => -Errno.EPERM });
        using (KvmHypervisor kvm = new(refusals))
        using (IVirtualMachine machine = NewMachine(kvm))
        {
            refusals.Inner.OnRun = vcpu =>
            {
                machine.Cancel();
                refusals.Removals = 1;
                return -Errno.EFAULT;
            };
            Assert.That(() => machine.Run(), Throws.TypeOf<HypervisorException>());
            Assert.That(IsInaccessible(refusals.Inner), Is.True, "what cannot be undone stays");
        }

        Assert.That((refusals.Inner.LiveMappings, refusals.Inner.Violations), Is.EqualTo((0, Array.Empty<string>())));
    }

    [Test]
    [EndsWithin(60)]
    public void MemoryThatCannotBeGivenBackIsATypedErrorUntilItCan()
    {
        RegionRefusals refusals = new(new FakeKvmKernel { OnSendSignal = static (_, _) => -Errno.EPERM });
        using KvmHypervisor kvm = new(refusals);
        using IVirtualMachine machine = NewMachine(kvm);
        refusals.Inner.OnRun = vcpu =>
        {
            machine.Cancel();
            refusals.Additions = 2;
            return vcpu.ExitShutdown();
        };

        Assert.That(() => machine.Run(), Throws.TypeOf<HypervisorException>());
        Assert.That(() => machine.Run(), Throws.TypeOf<HypervisorException>(), "the guest is not entered without its memory");
        machine.UnmapMemory(1);
        Assert.That(machine.Run(), Is.EqualTo(VmExit.Cancelled), "the request stands");
        Assert.That(refusals.Inner.Machines[^1].Slots.Keys, Is.EqualTo(new[] { 0U }), "what was unmapped meanwhile does not come back");
    }

    private static bool IsInaccessible(FakeKvmKernel kernel) =>
        kernel.NewestSlots() is [{ IsAccessible: false }, { IsAccessible: false }];

    private static IVirtualMachine NewMachine(KvmHypervisor kvm)
    {
        IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());
        using IMemoryRegion memory = kvm.AllocateMemory(GuestPage.Size);
        machine.MapMemory(0, GuestMapping.Whole(MemoryAddress, memory, MemoryFlags.Read));
        machine.MapMemory(1, GuestMapping.Whole(2 * MemoryAddress, memory, MemoryFlags.Read));
        return machine;
    }

    private static VmExit CancelWhileInside(FakeMachine fake, Func<FakeVcpu, int> leave) => fake.Run(vcpu =>
    {
        Thread canceller = new(() => Assert.That(fake.Machine.Cancel, Throws.Nothing));
        canceller.Start();
        canceller.Join();
        return leave(vcpu);
    });

    /// <summary>A kernel that refuses changes of memory slots for a while.</summary>
    private sealed unsafe class RegionRefusals(FakeKvmKernel inner) : ForwardingKernel(inner)
    {
        public FakeKvmKernel Inner { get; } = inner;

        /// <summary>How many removals are still refused.</summary>
        public int Removals { get; set; }

        /// <summary>How many additions are still refused.</summary>
        public int Additions { get; set; }

        /// <summary>How many reservations of inaccessible memory are still refused.</summary>
        public int Reservations { get; set; }

        public override nint MapMemory(nuint length, int protection, int flags, int fd)
        {
            if (protection == LibC.PROT_NONE && Reservations > 0)
            {
                Reservations--;
                return -Errno.ENOMEM;
            }

            return base.MapMemory(length, protection, flags, fd);
        }

        public override int Ioctl(int fd, uint request, nint argument)
        {
            if (request == KvmIoctls.KVM_SET_USER_MEMORY_REGION)
            {
                // SAFETY: the request's argument is the address of this structure.
                bool isRemoval = ((KvmUserspaceMemoryRegion*)argument)->MemorySize == 0;
                if (isRemoval && Removals > 0)
                {
                    Removals--;
                    return -Errno.ENOMEM;
                }

                if (!isRemoval && Additions > 0)
                {
                    Additions--;
                    return -Errno.ENOMEM;
                }
            }

            return base.Ioctl(fd, request, argument);
        }
    }
}
