using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Kvm;

/// <summary>Sandboxes on a simulated KVM that has few memory slots.</summary>
internal sealed class SlotLimitTests
{
    private const int Slots = 5;

    /// <summary>Image and scratch memory have one each.</summary>
    private const int Mappings = Slots - 2;

    private const string Path = "/files/model";
    private const ulong Address = 0x1000_0000;
    private const ulong Stride = 0x10_0000;

    private FakeKvmKernel _kernel = null!;
    private KvmHypervisor _hypervisor = null!;

    [SetUp]
    public void CreateKernel()
    {
        _kernel = new FakeKvmKernel { OnRun = FakeGuest.Run };
        _kernel.Capabilities[KvmCapabilities.KVM_CAP_NR_MEMSLOTS] = Slots;
        _kernel.Files.Add(Path, new FakeFile(SandboxLife.FileContent(Path)));
        _hypervisor = new KvmHypervisor(_kernel);
    }

    [TearDown]
    public void NothingIsLeft()
    {
        _hypervisor.Dispose();
        Assert.That((_kernel.OpenDescriptors, _kernel.LiveMappings), Is.EqualTo((0, 0)));
        Assert.That(_kernel.Violations, Is.Empty);
    }

    [TestCase(Slots, Slots)]
    [TestCase(0, 32, Description = "a KVM that does not say has 32")]
    public void The_limit_is_what_kvm_says(int said, int expected)
    {
        _kernel.Capabilities[KvmCapabilities.KVM_CAP_NR_MEMSLOTS] = said;
        using IVirtualMachine machine = _hypervisor.CreateVirtualMachine(new VirtualMachineOptions());

        Assert.That(machine.MemorySlotLimit, Is.EqualTo(expected));
    }

    [Test]
    public void The_slots_run_out_before_kvm_has_to_refuse()
    {
        using MultiUseSandbox sandbox = Builder().Build();
        Fill(sandbox);
        int calls = _kernel.Journal.Count;

        MappingLimitException ofFile = Assert.Throws<MappingLimitException>(() => sandbox.MapFile(Path, At(Mappings)))!;
        using var region = new ManagedMemoryRegion(GuestPage.Size);
        Assert.That(() => sandbox.MapRegion(region, At(Mappings)), Throws.TypeOf<MappingLimitException>());

        Assert.That(ofFile.Limit, Is.EqualTo(Mappings));
        Assert.That(_kernel.Journal.Skip(calls), Has.None.EqualTo("KVM_SET_USER_MEMORY_REGION"));
        Assert.That(_kernel.Journal.Skip(calls), Has.Some.EqualTo("close"), "the file was opened in vain");
        Assert.That(sandbox.Mappings, Has.Count.EqualTo(Mappings));
        Assert.That(sandbox.Call<int>("Add", 1, 2), Is.EqualTo(3));
    }

    [Test]
    public void Freed_slots_are_used_again()
    {
        using MultiUseSandbox sandbox = Builder().Build();
        for (int round = 0; round < 10; round++)
        {
            Fill(sandbox);
            Assert.That(() => sandbox.MapFile(Path, At(Mappings)), Throws.TypeOf<MappingLimitException>());
            for (int i = 0; i < Mappings; i++)
            {
                // In another order in each round.
                sandbox.UnmapFile(At((i + round) % Mappings));
            }
        }

        Assert.That(_kernel.Vcpu.Machine.Slots.Keys, Is.EqualTo(new uint[] { 0, 1 }));
    }

    [Test]
    public void A_restore_frees_every_slot()
    {
        using MultiUseSandbox sandbox = Builder().Build();
        using Snapshot snapshot = sandbox.TakeSnapshot();
        for (int round = 0; round < 3; round++)
        {
            Fill(sandbox);
            sandbox.Restore(snapshot);
            Assert.That(_kernel.Vcpu.Machine.Slots.Keys, Is.EqualTo(new uint[] { 0, 1 }));
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_builder_with_more_files_than_slots_keeps_nothing(bool fromSnapshot)
    {
        using MultiUseSandbox first = Builder().Build();
        using Snapshot snapshot = first.TakeSnapshot();
        SandboxBuilder builder = fromSnapshot ? Builder().WithSnapshot(snapshot) : Builder();
        for (int i = 0; i <= Mappings; i++)
        {
            builder.WithFileMapping(Path, At(i));
        }

        (int, int) before = (_kernel.OpenDescriptors, _kernel.LiveMappings);

        Assert.That(() => builder.Build(), Throws.TypeOf<MappingLimitException>().With.Property("Limit").EqualTo(Mappings));

        Assert.That((_kernel.OpenDescriptors, _kernel.LiveMappings), Is.EqualTo(before));
        Assert.That(_kernel.Machines[^1].IsGone, Is.True);
    }

    private static ulong At(int index) => Address + ((ulong)index * Stride);

    private static void Fill(MultiUseSandbox sandbox)
    {
        for (int i = 0; i < Mappings; i++)
        {
            sandbox.MapFile(Path, At(i));
            Assert.That(sandbox.Call<ulong>("MapAndRead", At(i)), Is.EqualTo(SandboxLife.FirstWord(Path)));
        }
    }

    private SandboxBuilder Builder() => new SandboxBuilder().WithHypervisor(_hypervisor).WithGuest(FakeGuest.Binary);
}
