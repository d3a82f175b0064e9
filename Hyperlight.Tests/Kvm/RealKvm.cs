using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Kvm;

/// <summary>The machine's own KVM, for tests that need one.</summary>
internal static class RealKvm
{
    private static readonly HypervisorStatus Status = Probe();

    /// <summary>Skips the test, saying why, where KVM cannot be used.</summary>
    public static void Require()
    {
        if (!Status.IsUsable)
        {
            Assert.Ignore($"no usable /dev/kvm on this machine: {Status}");
        }
    }

    /// <summary>A driver on the machine's own kernel, or on a wrapper around it.</summary>
    public static KvmHypervisor Open(ILinuxKernel? kernel = null)
    {
        Require();
        return new KvmHypervisor(kernel ?? LinuxKernel.Instance);
    }

    private static HypervisorStatus Probe()
    {
        using KvmHypervisor hypervisor = new();
        return hypervisor.Probe();
    }
}
