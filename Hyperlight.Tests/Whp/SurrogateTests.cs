using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;
using Hyperlight.Whp;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Whp;

/// <summary>The processes that host the memory of guests: how many there are, how they are used again, and what happens when one ends.</summary>
[TestFixture]
internal sealed class SurrogateTests
{
    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [Test]
    public void Processes_are_started_when_they_are_needed_and_used_again()
    {
        using SimulatedWhp whp = new();
        using (IVirtualMachine first = Create(whp))
        using (IVirtualMachine second = Create(whp))
        {
            Assert.That(whp.Windows.LiveProcesses, Is.EqualTo(2));
        }

        using IVirtualMachine third = Create(whp);
        Assert.That((whp.Windows.LiveProcesses, whp.Windows.CreatedProcesses), Is.EqualTo((2, 2)));
    }

    [TestCase(3, 8, 3)]
    [TestCase(8, 2, 2)]
    [TestCase(0, 8, 1)]
    public void The_first_machine_starts_the_initial_processes(int initial, int maximum, int expected)
    {
        using SimulatedWhp whp = new(Options(maximum, initial));
        using IVirtualMachine machine = Create(whp);
        Assert.That(whp.Windows.LiveProcesses, Is.EqualTo(expected));
    }

    [Test]
    public void At_the_limit_a_machine_waits_for_a_process_and_then_fails_with_a_remedy()
    {
        using SimulatedWhp whp = new(new WhpOptions(static _ => null) { MaxSurrogates = 1, SurrogateTimeout = TimeSpan.FromMilliseconds(20) });
        using IVirtualMachine machine = Create(whp);

        var error = Assert.Throws<HypervisorException>(() => Create(whp))!;

        Assert.That(error.Message, Does.Contain("all 1 surrogate processes were in use").And.Contain("HYPERLIGHT_MAX_SURROGATES"));
        Assert.That(whp.Platform.Partitions, Is.EqualTo(1), "the second partition is deleted");
    }

    [Test]
    public void A_machine_that_waits_gets_the_process_of_one_that_is_disposed()
    {
        using SimulatedWhp whp = new(Options(maximum: 1));
        IVirtualMachine first = Create(whp);
        Task<IVirtualMachine> waiting = Task.Run(() => Create(whp));
        Assert.That(waiting.Wait(TimeSpan.FromMilliseconds(50)), Is.False);

        first.Dispose();

        Assert.That(waiting.Wait(TimeSpan.FromMinutes(1)), Is.True);
        waiting.Result.Dispose();
        Assert.That(whp.Windows.CreatedProcesses, Is.EqualTo(1));
    }

    [Test]
    public void Without_surrogates_there_is_one_machine_at_a_time()
    {
        using SimulatedWhp whp = new(Options(maximum: 0));
        using (LongModeGuest guest = new(whp.Hypervisor, static code => code.hlt()))
        {
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
            var error = Assert.Throws<HypervisorException>(() => Create(whp))!;
            Assert.That(error.Message, Does.Contain("one virtual machine at a time").And.Contain("HYPERLIGHT_MAX_SURROGATES"));
        }

        using LongModeGuest next = new(whp.Hypervisor, static code => code.hlt());
        Assert.That(next.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(whp.Windows.CreatedProcesses, Is.Zero);
    }

    [Test]
    public void A_machine_of_another_library_is_named_by_the_platform_and_explained()
    {
        using SimulatedWhp whp = new(Options(maximum: 0));
        using IVirtualMachine machine = Create(whp);
        using IMemoryRegion region = whp.Hypervisor.AllocateMemory(0x1000);
        using ForeignPartition other = new(whp.Platform);
        var error = Assert.Throws<HypervisorException>(
            () => machine.MapMemory(0, GuestMapping.Whole(0, region, MemoryFlags.Read)))!;
        Assert.That(error.ErrorCode, Is.EqualTo(SimulatedResults.PartitionAlreadyExists));
        Assert.That(error.Message, Does.Contain("another partition").And.Contain("HYPERLIGHT_MAX_SURROGATES"));
    }

    [Test]
    public void A_process_that_ends_while_its_guest_runs_is_a_typed_error_and_is_replaced()
    {
        using SimulatedWhp whp = new();
        using (LongModeGuest guest = new(whp.Hypervisor, WhpMachine.Spin))
        {
            Task killing = Task.Run(() =>
            {
                while (!whp.Platform.IsAnyRunning)
                {
                    Thread.Yield();
                }

                whp.Windows.Kill(whp.Windows.ProcessIds().Single());
            });

            var error = Assert.Throws<HypervisorException>(() => guest.Machine.Run())!;

            Assert.That(killing.Wait(TimeSpan.FromMinutes(1)), Is.True);
            Assert.That(error.Message, Does.Contain("was ended from outside"));
        }

        using LongModeGuest next = new(whp.Hypervisor, static code => code.hlt());
        Assert.That(next.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(whp.Windows.CreatedProcesses, Is.EqualTo(2));
    }

    [Test]
    public void A_process_that_ends_while_it_is_not_in_use_is_replaced()
    {
        using SimulatedWhp whp = new();
        Create(whp).Dispose();
        whp.Windows.Kill(whp.Windows.ProcessIds().Single());

        using LongModeGuest next = new(whp.Hypervisor, static code => code.hlt());
        Assert.That(next.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That((whp.Windows.LiveProcesses, whp.Windows.CreatedProcesses), Is.EqualTo((1, 2)));
    }

    [Test]
    public void Mapping_memory_into_a_process_that_has_ended_is_a_typed_error()
    {
        using SimulatedWhp whp = new();
        using IVirtualMachine machine = Create(whp);
        using IMemoryRegion region = whp.Hypervisor.AllocateMemory(0x1000);
        whp.Windows.Kill(whp.Windows.ProcessIds().Single());

        Assert.That(
            () => machine.MapMemory(0, GuestMapping.Whole(0, region, MemoryFlags.Read)),
            Throws.TypeOf<HypervisorException>().With.Message.Contains("was ended from outside"));
    }

    [Test]
    public void One_view_of_a_region_serves_all_its_mappings_of_a_machine()
    {
        using WhpMachine machine = new(static code => code.hlt());
        int views = machine.Windows.RemoteViews;
        using IMemoryRegion region = machine.Whp.Hypervisor.AllocateMemory(0x3000);
        machine.Machine.MapMemory(1, new GuestMapping(0x20_0000, region, 0, 0x1000, MemoryFlags.Read));
        machine.Machine.MapMemory(2, new GuestMapping(0x30_0000, region, 0x1000, 0x2000, MemoryFlags.Read));
        Assert.That(machine.Windows.RemoteViews, Is.EqualTo(views + 1));

        machine.Machine.UnmapMemory(1);
        Assert.That(machine.Windows.RemoteViews, Is.EqualTo(views + 1));
        machine.Machine.UnmapMemory(2);
        Assert.That(machine.Windows.RemoteViews, Is.EqualTo(views));
    }

    [Test]
    public void Memory_of_the_application_is_copied_for_a_guest()
    {
        using WhpMachine machine = new(static code =>
        {
            code.mov(rax, LongModeGuest.UnmappedAddress);
            code.mov(rbx, __[rax]);
            code.hlt();
        });
        using HostMemoryRegion application = NewMemory(42);
        machine.Machine.MapMemory(1, GuestMapping.Whole(LongModeGuest.UnmappedAddress, application, MemoryFlags.Read));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(machine.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(42));
    }

    [Test]
    public void Memory_of_another_driver_is_refused()
    {
        using WhpMachine machine = new(static code => code.hlt());
        using IMemoryRegion other = new Hyperlight.Emulator.EmulatorHypervisor().AllocateMemory(0x1000);
        Assert.That(
            () => machine.Machine.MapMemory(1, GuestMapping.Whole(0x20_0000, other, MemoryFlags.Read | MemoryFlags.Write)),
            Throws.ArgumentException);
    }

    [TestCase(null, null, 1, 512)]
    [TestCase("4", "16", 4, 16)]
    [TestCase("-1", "100000", 0, 512)]
    [TestCase("many", "0", 1, 0)]
    public void Two_environment_variables_change_the_defaults(string? initial, string? maximum, int expectedInitial, int expectedMaximum)
    {
        WhpOptions options = new(name => name == "HYPERLIGHT_INITIAL_SURROGATES" ? initial : name == "HYPERLIGHT_MAX_SURROGATES" ? maximum : null);
        Assert.That((options.InitialSurrogates, options.MaxSurrogates), Is.EqualTo((expectedInitial, expectedMaximum)));
    }

    [Test]
    public void Options_that_are_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new WhpOptions { MaxSurrogates = 513 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new WhpOptions { InitialSurrogates = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new WhpOptions { SurrogateTimeout = TimeSpan.FromTicks(-1) });
    }

    private static WhpOptions Options(int maximum, int initial = 1) =>
        new(static _ => null) { MaxSurrogates = maximum, InitialSurrogates = initial };

    /// <summary>A page of native memory that begins with a byte.</summary>
    private static unsafe HostMemoryRegion NewMemory(byte first)
    {
        void* memory = NativeMemory.AlignedAlloc(0x1000, 0x1000);
        NativeMemory.Clear(memory, 0x1000);
        *(byte*)memory = first;
        nint address = (nint)memory;
        return HostMemoryRegion.FromPointer(address, 0x1000, () => NativeMemory.AlignedFree((void*)address));
    }

    private static IVirtualMachine Create(SimulatedWhp whp) => whp.Hypervisor.CreateVirtualMachine(new VirtualMachineOptions());

    /// <summary>A partition that something else in this process has made, and that maps its memory.</summary>
    private sealed unsafe class ForeignPartition : IDisposable
    {
        private readonly SimulatedWinHv _platform;
        private readonly nint _partition;
        private readonly void* _memory = NativeMemory.AlignedAlloc(0x1000, 0x1000);

        public ForeignPartition(SimulatedWinHv platform)
        {
            _platform = platform;
            nint partition;
            uint one = 1;
            platform.CreatePartition(&partition);
            platform.SetPartitionProperty(partition, 0x1FFF, &one, sizeof(uint));
            platform.SetupPartition(partition);
            platform.CreateVirtualProcessor(partition, 0, 0);
            _partition = partition;
            Assert.That(platform.MapGpaRange(partition, _memory, 0, 0x1000, 1), Is.Zero);
        }

        public void Dispose()
        {
            _platform.DeletePartition(_partition);
            NativeMemory.AlignedFree(_memory);
        }
    }
}
