using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Integration.Residue;
using static Hyperlight.Tests.Integration.TestFiles;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// Code in a mapped file that was shortened, on a hypervisor that emulates guest code: as a KVM without hardware
/// virtualization does, it reports code that it cannot read as an instruction that it cannot execute.
/// </summary>
internal sealed class UnreadableCodeTests
{
    private const ulong Address = 0x1000_0000;
    private const byte Ret = 0xC3;

    private TestFiles _files = null!;
    private EmulatingHypervisor _hypervisor = null!;
    private MultiUseSandbox _sandbox = null!;

    [SetUp]
    public void Create()
    {
        _files = new TestFiles();
        _hypervisor = new EmulatingHypervisor();
        _sandbox = new TestTarget(_hypervisor, TestTargets.GeneralGuest).Builder().Build();
        _sandbox.MapFile(_files.New("intact", 0x4000), 0x2000_0000);
    }

    [TearDown]
    public void Destroy()
    {
        _sandbox?.Dispose();
        _files.Dispose();
    }

    [Test]
    public void The_error_is_that_of_other_hypervisors()
    {
        string path = _files.New("code", [.. Enumerable.Repeat(Ret, 0x4000)]);
        _sandbox.MapFile(path, Address, "plugin");
        Truncate(path, 0x1000);

        MemoryAccessViolationException error =
            Assert.Throws<MemoryAccessViolationException>(() => _sandbox.Call<int>("MapAndExecute", Address + 0x2000))!;

        Assert.That((error.Address, error.Attempted, error.Label), Is.EqualTo((Address + 0x2000, MemoryFlags.Execute, "plugin")));
        Assert.That(error.InnerException, Is.TypeOf<FileMappingException>());
    }

    /// <summary>The first byte of the instruction is there, the rest is not.</summary>
    [Test]
    public void An_instruction_that_is_cut_off_is_the_same_error()
    {
        string path = _files.New("code", [.. Enumerable.Repeat(Ret, 0x2000)]);
        _sandbox.MapFile(path, Address, "plugin");
        _sandbox.Call("MapPhysical", Address, 0x2000UL);
        Truncate(path, 0x1000);
        _hypervisor.FailsAt = Address + 0xFFF;

        MemoryAccessViolationException error =
            Assert.Throws<MemoryAccessViolationException>(() => _sandbox.Call<int>("Add", 1, 2))!;

        Assert.That((error.Attempted, error.Label), Is.EqualTo((MemoryFlags.Execute, "plugin")));
        Assert.That(error.Address & ~0xFFFul, Is.EqualTo(Address + 0x1000));
    }

    [Test]
    public void Code_that_can_be_read_is_still_an_instruction_that_cannot_be_executed()
    {
        _sandbox.MapFile(_files.New("code", [.. Enumerable.Repeat(Ret, 0x2000)]), Address, "plugin");
        _sandbox.Call("MapPhysical", Address, 0x2000UL);
        _hypervisor.FailsAt = Address + 0xFFF;

        Assert.That(
            () => _sandbox.Call<int>("Add", 1, 2),
            Throws.TypeOf<UnexpectedVmExitException>().With.Property(nameof(UnexpectedVmExitException.Exit))
                .Matches<VmExit>(static exit => exit.Reason == VmExitReason.EmulationFailure));
    }

    private sealed class EmulatingHypervisor() : ForwardingHypervisor(new EmulatorHypervisor())
    {
        /// <summary>The instruction that every exit reports as one that cannot be executed.</summary>
        public ulong? FailsAt { get; set; }

        public override IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options) =>
            new EmulatingMachine(base.CreateVirtualMachine(in options), this);
    }

    private sealed class EmulatingMachine(IVirtualMachine machine, EmulatingHypervisor hypervisor) : ObservedMachine(machine)
    {
        public override VmExit Run()
        {
            VmExit exit = base.Run();
            bool isFetch = exit is { Reason: VmExitReason.AccessViolation, Attempted: MemoryFlags.Execute };
            return isFetch || hypervisor.FailsAt is not null ? VmExit.EmulationFailure(FailingRip, [], 1) : exit;
        }

        private ulong FailingRip => hypervisor.FailsAt ?? GetGeneralRegisters().Rip;
    }
}
