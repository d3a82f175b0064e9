using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Kvm;
using Iced.Intel;

namespace Hyperlight.Tests.Mshv;

/// <summary>A machine of the driver on a simulated kernel, with a few instructions in it.</summary>
internal sealed class SimulatedMachine : IDisposable
{
    public SimulatedMachine(Action<Assembler> code, Action<SimulatedMshvTraits>? traits = null)
    {
        traits?.Invoke(Kernel.Traits);
        Hypervisor = new MshvHypervisor(Kernel);
        Guest = new LongModeGuest(Hypervisor, code);
    }

    public SimulatedMshv Kernel { get; } = new(LinuxKernel.Instance);

    public MshvHypervisor Hypervisor { get; }

    public LongModeGuest Guest { get; }

    public IVirtualMachine Machine => Guest.Machine;

    /// <summary>How many requests were made while an action ran, by name.</summary>
    public IReadOnlyList<string> Requests(Action action)
    {
        int before = Kernel.Journal.Count;
        action();
        return [.. Kernel.Journal.Skip(before)];
    }

    public void Dispose()
    {
        Guest.Dispose();
        Hypervisor.Dispose();
        Assert.Multiple(() =>
        {
            Assert.That(Kernel.Violations, Is.Empty);
            Assert.That(
                (Kernel.OpenDescriptors, Kernel.Partitions, Kernel.VirtualProcessors, Kernel.RegisterPages, Kernel.PinnedRegions),
                Is.EqualTo((0, 0, 0, 0, 0)));
        });
    }
}
