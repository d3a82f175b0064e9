using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;
using Hyperlight.Tests.Emulator.Differential;

namespace Hyperlight.Tests.Kvm;

/// <summary>What becomes of the policy for model-specific registers on a simulated KVM, with and without KVM_X86_SET_MSR_FILTER.</summary>
internal sealed class KvmMsrPolicyTests
{
    private const uint TimeStampCounter = 0x10;

    /// <summary>Registers that KVM_GET_MSR_INDEX_LIST does not name: of memory types and machine checks.</summary>
    private static readonly uint[] NotListed =
    [
        .. Enumerable.Range(0x200, 16).Select(static i => (uint)i),
        0x250, 0x258, 0x259,
        .. Enumerable.Range(0x268, 8).Select(static i => (uint)i),
        0x2FF,
        .. Enumerable.Range(0x400, 0x80).Select(static i => (uint)i),
    ];

    private static IEnumerable<uint> Indices =>
        Enumerable.Range(0, 0x2000).SelectMany(static i => new[] { (uint)i, 0xC000_0000 + (uint)i, 0xC001_0000 + (uint)i })
            .Concat(new uint[] { 0x4000_0020, 0x4B56_4D00, 0x4B56_4D01, 0xFFFF_FFFF });

    [Test]
    public void A_guest_reads_and_writes_what_the_policy_permits([Values] bool isNone, [Values] bool hasFurther)
    {
        FakeKvmKernel kernel = NewKernel();
        MsrPolicy policy = isNone ? MsrPolicy.None : MsrPolicy.Default;
        policy = hasFurther ? policy.With(0x200, 0x1A0, 0xC000_1FFF, 0xC001_0015) : policy;
        using KvmHypervisor kvm = new(kernel);
        using IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions { Msrs = policy });

        uint[] readable = [.. Indices.Where(i => kernel.Vcpu.ReadMsr(i) is not null).Order()];
        uint[] writable = [.. Indices.Where(i => kernel.Vcpu.WriteMsr(i, 1)).Order()];

        Assert.That(readable, Is.EqualTo(policy.Readable));
        Assert.That(writable, Is.EqualTo(policy.Writable));
        Assert.That(machine.GuestWritableMsrs.ToArray(), Is.EqualTo(policy.Restored));
    }

    /// <summary>All of 32 bits, if the tests may take long; otherwise each index of one of the residue classes of a prime.</summary>
    [Test]
    public void The_filter_permits_what_the_policy_permits_over_the_whole_space()
    {
        FakeKvmKernel kernel = NewKernel();
        MsrPolicy policy = MsrPolicy.Default.With(0x200, 0xC000_1FFF, 0xC001_0015);
        using KvmHypervisor kvm = new(kernel);
        using IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions { Msrs = policy });
        FakeMsrFilter filter = kernel.Vcpu.Machine.MsrFilter!;
        ulong step = TestSettings.IsLong ? 1UL : 127;
        List<string> wrong = [];
        for (ulong i = (ulong)Random.Shared.NextInt64((long)step); i <= uint.MaxValue; i += step)
        {
            uint index = (uint)i;
            bool mayRead = filter.Permits(index, KvmMsrFilterRange.KVM_MSR_FILTER_READ);
            bool mayWrite = filter.Permits(index, KvmMsrFilterRange.KVM_MSR_FILTER_WRITE);

            // The registers of x2APIC are beyond any filter; without an interrupt controller KVM refuses them.
            if ((mayRead != policy.MayRead(index) || mayWrite != policy.MayWrite(index)) && index is not (>= 0x800 and <= 0x8FF))
            {
                wrong.Add($"0x{index:X}: {mayRead}, {mayWrite}");
            }
        }

        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void A_register_that_kvm_lacks_is_refused_and_leaves_nothing_behind([Values] bool hasFilter)
    {
        FakeKvmKernel kernel = NewKernel(hasFilter);
        kernel.FurtherMsrs.Remove(0x200);
        using (KvmHypervisor kvm = new(kernel))
        {
            GuestMsrException error = Assert.Throws<GuestMsrException>(
                () => kvm.CreateVirtualMachine(new VirtualMachineOptions { Msrs = MsrPolicy.Default.With(0x1A0, 0x200) }))!;

            Assert.That((error.Register, error.Problem), Is.EqualTo((0x200u, GuestMsrProblem.NotSupported)));
        }

        Assert.That(kernel.OpenDescriptors, Is.Zero);
        Assert.That(kernel.LiveMappings, Is.Zero);
        Assert.That(kernel.Violations, Is.Empty);
    }

    [Test]
    public void A_filter_that_kvm_refuses_is_a_typed_error()
    {
        FakeKvmKernel kernel = NewKernel();
        using KvmHypervisor kvm = new(kernel);
        kvm.Probe();
        kernel.Capabilities[KvmCapabilities.KVM_CAP_X86_MSR_FILTER] = 0;

        Assert.That(
            () => kvm.CreateVirtualMachine(new VirtualMachineOptions()),
            Throws.TypeOf<HypervisorException>().With.Message.Contains("KVM_X86_SET_MSR_FILTER"));
    }

    [Test]
    public void Without_a_filter_every_writable_register_is_restored()
    {
        FakeKvmKernel kernel = NewKernel(hasFilter: false);
        using KvmHypervisor kvm = new(kernel);
        using IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());

        uint[] found = machine.GuestWritableMsrs.ToArray();

        Assert.That(found, Is.SupersetOf(NotListed));
        Assert.That(found, Has.None.EqualTo(TimeStampCounter).And.None.EqualTo(0xC000_0080).And.None.EqualTo(0xC000_0100));
        Assert.That(found, Is.Ordered.And.Unique);
    }

    [Test]
    public void Without_a_filter_the_registers_are_looked_for_once()
    {
        FakeKvmKernel kernel = NewKernel(hasFilter: false);
        using KvmHypervisor kvm = new(kernel);
        using (IVirtualMachine first = kvm.CreateVirtualMachine(new VirtualMachineOptions()))
        {
            _ = first.GuestWritableMsrs;
        }

        using IVirtualMachine second = kvm.CreateVirtualMachine(new VirtualMachineOptions());
        int calls = kernel.Journal.Count;
        _ = second.GuestWritableMsrs;

        Assert.That(kernel.Journal, Has.Count.EqualTo(calls));
    }

    [Test]
    public void Nothing_that_a_guest_writes_survives_a_restore([Values] bool hasFilter)
    {
        FakeKvmKernel kernel = NewKernel(hasFilter);
        kernel.OnRun = FakeGuest.Run;
        using KvmHypervisor kvm = new(kernel);
        using MultiUseSandbox sandbox = new SandboxBuilder().WithHypervisor(kvm).WithGuest(FakeGuest.Binary).Build();
        using Snapshot snapshot = sandbox.TakeSnapshot();
        KeyValuePair<uint, ulong>[] before = [.. kernel.Vcpu.Msrs.OrderBy(static r => r.Key)];
        int planted = Indices.Count(i => IsRestoredElsewhere(i) || kernel.Vcpu.WriteMsr(i, 0x5A17));
        Assert.That(planted, Is.GreaterThan(hasFilter ? 5 : NotListed.Length));

        sandbox.Restore(snapshot);

        Assert.That(kernel.Vcpu.Msrs.OrderBy(static r => r.Key), Is.EqualTo(before));
    }

    [Test]
    [EndsWithin(60)]
    public void A_register_that_cannot_be_put_back_is_a_typed_error_and_the_sandbox_stays_unusable()
    {
        FakeKvmKernel kernel = NewKernel(hasFilter: false);
        kernel.OnRun = FakeGuest.Run;
        using KvmHypervisor kvm = new(kernel);
        using MultiUseSandbox sandbox = new SandboxBuilder().WithHypervisor(kvm).WithGuest(FakeGuest.Binary).Build();
        using Snapshot snapshot = sandbox.TakeSnapshot();
        kernel.Vcpu.StickyBits[0xC001_0015] = 1 << 18;
        kernel.Vcpu.WriteMsr(0xC001_0015, 1 << 18);

        HypervisorException error = Assert.Throws<HypervisorException>(() => sandbox.Restore(snapshot))!;

        Assert.That(error.Message, Does.Contain("0xC0010015").And.Contain("Dispose the sandbox"));
        Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
        Assert.That(() => sandbox.Restore(snapshot), Throws.TypeOf<HypervisorException>());
    }

    /// <summary>KVM lets the host put the adjustment back only if CPUID shows it.</summary>
    [Test]
    public void The_adjustment_of_the_counter_is_shown_only_where_guests_can_write_it([Values] bool hasFilter)
    {
        FakeKvmKernel kernel = NewKernel(hasFilter);
        kernel.SupportedCpuid.Add(new KvmCpuidEntry2 { Function = 7, Ebx = uint.MaxValue });
        using KvmHypervisor kvm = new(kernel);
        using IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());

        Assert.That(kernel.Vcpu.Cpuid.Single(static e => e.Function == 7).Ebx & 2, Is.EqualTo(hasFilter ? 0 : 2));
    }

    /// <summary>On the simulated kernel special registers and model-specific registers are not the same.</summary>
    private static bool IsRestoredElsewhere(uint index) => index is 0x1B or 0xC000_0080 or 0xC000_0100 or 0xC000_0101;

    private static FakeKvmKernel NewKernel(bool hasFilter = true)
    {
        FakeKvmKernel kernel = new();
        kernel.Capabilities[KvmCapabilities.KVM_CAP_X86_MSR_FILTER] = hasFilter ? 1 : 0;
        foreach (uint index in NotListed.Concat(MsrPolicy.Default.Readable).Concat(new uint[] { 0xC000_1FFF, 0xC001_0015, 0x4B56_4D01 }))
        {
            kernel.FurtherMsrs[index] = 0;
        }

        return kernel;
    }
}
