using Hyperlight.Abstractions;
using Hyperlight.Kvm;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// A KVM without hardware virtualization: it emulates privileged guest code, a hundred times slower than a processor, without some instructions. It
/// reports an access to host memory that is not there as a failure of the emulation.
/// </summary>
internal static class EmulatingKvm
{
    /// <summary>Whether such a KVM is behind the driver.</summary>
    public static bool Runs(IHypervisor hypervisor) => hypervisor is KvmHypervisor { UnsupportedPrivilegedInstructions.Count: > 0 };
}
