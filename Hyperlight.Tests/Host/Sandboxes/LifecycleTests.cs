using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Wire;
using Moq;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>Build, evolve, call and dispose over a mocked driver.</summary>
[TestFixture]
internal sealed class LifecycleTests
{
    private ScriptedMachine _guest = null!;

    [SetUp]
    public void SetUp() => _guest = new ScriptedMachine();

    [Test]
    public void A_call_returns_what_the_guest_answered()
    {
        using MultiUseSandbox sandbox = _guest.Build();
        byte[] call = [];
        _guest.Then(() =>
        {
            call = _guest.PopInput();
            _guest.PushOutput(GoldenVectors.IntResult);
            return ScriptedMachine.Halt;
        });

        Assert.That(sandbox.Call<int>("Add", 1, 2), Is.EqualTo(3));
        Assert.That(call, Is.EqualTo(GoldenVectors.AddCall));
        Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Ready));
    }

    [Test]
    public void The_machine_is_set_up_before_the_guest_runs()
    {
        var calls = new List<string>();
        _guest.Machine.Setup(m => m.SetSpecialRegisters(It.Ref<SpecialRegisters>.IsAny)).Callback(() => calls.Add("special"));
        using MultiUseSandbox sandbox = _guest.Build();

        Assert.That(calls, Is.EqualTo(new[] { "special" }));
        Assert.That(_guest.Mappings[0].GuestAddress, Is.EqualTo(0x1000));
        Assert.That(_guest.Mappings[0].Flags, Is.EqualTo(MemoryFlags.Read | MemoryFlags.Execute));
        Assert.That(_guest.Mappings[1].GuestAddress, Is.EqualTo(0xF_FFFB_8000));
        Assert.That(_guest.Mappings[1].Flags, Is.EqualTo(MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));
    }

    [Test]
    public void The_entry_point_is_called_with_the_abis_arguments()
    {
        using MultiUseSandbox sandbox = _guest.Build();

        GeneralRegisters entry = _guest.RegistersSet[0];
        Assert.That(entry.Rip, Is.EqualTo(0x1000));
        Assert.That(entry.Rsp, Is.EqualTo(0xFFFF_FFFF_FFFF_EFC8));
        Assert.That(entry.Rflags, Is.EqualTo(2));
        Assert.That(entry.Rdi, Is.EqualTo(0x2000), "PEB");
        Assert.That(entry.Rdx, Is.EqualTo(0x1000), "page size");
        Assert.That(entry.Rcx, Is.EqualTo(1), "log filter: errors");
        Assert.That(entry.Rax | entry.Rbx | entry.Rbp | entry.R8 | entry.R15, Is.Zero);
    }

    [Test]
    public void Scratch_memory_that_cannot_be_written_is_released()
    {
        var failure = new HypervisorException("mock", "write", 5, "EIO");
        _guest.Wrap = region => region.Size == 0x4_8000 ? new StubbornRegion(region) { WriteFailure = failure } : region;

        Assert.That(() => _guest.Builder().BuildUninitialized(), Throws.Exception.SameAs(failure));

        Assert.That(_guest.Regions, Has.Count.EqualTo(2));
        Assert.That(_guest.AllReleased, Is.True);
    }

    [Test]
    public void Each_sandbox_gets_another_seed()
    {
        var other = new ScriptedMachine();
        using MultiUseSandbox first = _guest.Build();
        using MultiUseSandbox second = other.Build();

        Assert.That(_guest.RegistersSet[0].Rsi, Is.Not.EqualTo(other.RegistersSet[0].Rsi));
        Assert.That(first.Id, Is.Not.EqualTo(second.Id));
    }

    [Test]
    public void A_call_enters_the_dispatcher_with_clean_registers()
    {
        using MultiUseSandbox sandbox = _guest.Build();
        _guest.Answer(GoldenVectors.IntResult);

        sandbox.Call<int>("f");

        Assert.That(_guest.RegistersSet[1], Is.EqualTo(new GeneralRegisters
        {
            Rip = ScriptedMachine.DispatchAddress,
            Rsp = ScriptedMachine.StackPointer,
            Rflags = 2,
        }));
        _guest.Machine.Verify(m => m.SetFpuRegisters(FpuRegisters.Reset), Times.Once);
    }

    [Test]
    public void A_halt_by_hlt_ends_a_run_too()
    {
        using MultiUseSandbox sandbox = _guest.Build();
        _guest.Then(() =>
        {
            _guest.PushOutput(GoldenVectors.IntResult);
            return VmExit.Halt;
        });

        Assert.That(sandbox.Call<int>("f"), Is.EqualTo(3));
    }

    [Test]
    public void The_explicit_log_level_is_handed_to_the_guest()
    {
        _guest.Initialise();
        using MultiUseSandbox sandbox = _guest.Builder()
            .WithConfiguration(new SandboxConfiguration { GuestLogLevel = GuestLogLevel.Debug })
            .Build();

        Assert.That(_guest.RegistersSet[0].Rcx, Is.EqualTo(4));
    }

    [Test]
    public void Dispose_releases_the_machine_and_all_memory()
    {
        MultiUseSandbox sandbox = _guest.Build();

        sandbox.Dispose();
        sandbox.Dispose();

        _guest.Machine.Verify(m => m.Dispose(), Times.Once);
        Assert.That(_guest.AllReleased, Is.True);
        Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Disposed));
        Assert.That(() => sandbox.Call<int>("f"), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => sandbox.WithHostFunction("f", () => 1), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(sandbox.InterruptHandle.Cancel(), Is.False);
        Assert.That(sandbox.InterruptHandle.IsDetached, Is.True);
    }

    [Test]
    public void An_uninitialized_sandbox_has_no_machine_and_releases_its_memory()
    {
        UninitializedSandbox sandbox = _guest.Builder().BuildUninitialized();
        _guest.Hypervisor.Verify(h => h.CreateVirtualMachine(It.Ref<VirtualMachineOptions>.IsAny), Times.Never);
        Assert.That(_guest.Regions, Has.Count.EqualTo(2));

        sandbox.Dispose();

        Assert.That(_guest.AllReleased, Is.True);
        Assert.That(() => sandbox.Evolve(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => sandbox.WithHostFunction("f", () => 1), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_sandbox_evolves_once()
    {
        _guest.Initialise();
        using UninitializedSandbox uninitialized = _guest.Builder().BuildUninitialized();
        using MultiUseSandbox sandbox = uninitialized.Evolve();

        Assert.That(() => uninitialized.Evolve(), Throws.TypeOf<ObjectDisposedException>());
        uninitialized.Dispose();
        Assert.That(_guest.AllReleased, Is.False, "the memory belongs to the evolved sandbox");
    }

    [Test]
    public void A_failing_allocation_releases_the_other()
    {
        var failure = new HypervisorException("mock", "mmap", 12, "ENOMEM");
        int count = 0;
        _guest.Hypervisor.Setup(h => h.AllocateMemory(It.IsAny<nuint>())).Returns((nuint size) =>
        {
            if (count++ == 1)
            {
                throw failure;
            }

            _guest.Regions.Add(new ManagedMemoryRegion(size));
            return _guest.Regions[^1];
        });

        Assert.That(() => _guest.Builder().Build(), Throws.Exception.SameAs(failure));
        Assert.That(_guest.AllReleased, Is.True);
    }

    [Test]
    public void A_failing_machine_creation_releases_the_memory()
    {
        var failure = new HypervisorException("mock", "KVM_CREATE_VM", 12, "ENOMEM");
        _guest.Hypervisor.Setup(h => h.CreateVirtualMachine(It.Ref<VirtualMachineOptions>.IsAny)).Throws(failure);

        Assert.That(() => _guest.Builder().Build(), Throws.Exception.SameAs(failure));
        Assert.That(_guest.AllReleased, Is.True);
    }

    [Test]
    public void A_failing_mapping_releases_everything()
    {
        var failure = new HypervisorException("mock", "KVM_SET_USER_MEMORY_REGION", 22, "EINVAL");
        _guest.Machine.Setup(m => m.MapMemory(1, It.Ref<GuestMapping>.IsAny)).Throws(failure);

        Assert.That(() => _guest.Builder().Build(), Throws.Exception.SameAs(failure));
        Assert.That(_guest.AllReleased, Is.True);
        _guest.Machine.Verify(m => m.Dispose(), Times.Once);
    }

    [Test]
    public void A_guest_that_fails_to_initialise_is_released()
    {
        _guest.Then(VmExit.Shutdown);

        Assert.That(
            () => _guest.Builder().Build(),
            Throws.TypeOf<GuestInitializationException>().With.InnerException.TypeOf<UnexpectedVmExitException>());
        Assert.That(_guest.AllReleased, Is.True);
        _guest.Machine.Verify(m => m.Dispose(), Times.Once);
    }

    [Test]
    public void A_guest_that_aborts_in_its_initialisation_is_an_initialisation_failure()
    {
        _guest.Then(VmExit.IoOut(102, 0xFF_0D02, 4));

        Assert.That(
            () => _guest.Builder().Build(),
            Throws.TypeOf<GuestInitializationException>()
                .With.InnerException.TypeOf<GuestAbortedException>()
                .And.InnerException.Property(nameof(GuestAbortedException.Code)).EqualTo(13));
    }

    [Test]
    public void A_misaligned_stack_pointer_is_refused()
    {
        _guest.Initialise(ScriptedMachine.StackPointer + 8);

        Assert.That(
            () => _guest.Builder().Build(),
            Throws.TypeOf<GuestInitializationException>().With.Message.Contains($"0x{ScriptedMachine.StackPointer + 8:X}"));
        Assert.That(_guest.AllReleased, Is.True);
    }

    [Test]
    public void A_builder_without_a_guest_says_so() =>
        Assert.That(() => new SandboxBuilder().Build(), Throws.InvalidOperationException.With.Message.Contains("WithGuest"));

    [Test]
    public void One_builder_builds_many_sandboxes()
    {
        _guest.Initialise().Initialise();
        SandboxBuilder builder = _guest.Builder();
        var other = new Mock<IVirtualMachine>();

        using MultiUseSandbox first = builder.Build();
        _guest.Hypervisor.Setup(h => h.CreateVirtualMachine(It.Ref<VirtualMachineOptions>.IsAny)).Returns(other.Object);
        other.Setup(m => m.Run()).Returns(ScriptedMachine.Halt);
        using MultiUseSandbox second = builder.Build();

        Assert.That(_guest.Regions, Has.Count.EqualTo(3), "each has scratch memory of its own, and they share the image");
    }
}
