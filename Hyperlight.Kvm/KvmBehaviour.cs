using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>What kind of KVM this is: it cannot be asked, only tried, by a few instructions in a machine of its own.</summary>
/// <param name="UnsupportedPrivileged">
/// The instructions of <see cref="KvmPrivilegedCode"/> that it cannot execute; empty on a processor with virtualization.
/// </param>
/// <param name="KeepsPageTables">Whether it uses copies of the guest's page tables: see <see cref="KvmPageTableCopies"/>.</param>
internal sealed record KvmBehaviour(IReadOnlyList<string> UnsupportedPrivileged, bool KeepsPageTables)
{
    /// <summary>Tries it.</summary>
    /// <exception cref="HypervisorException">No machine can be created or run.</exception>
    public static KvmBehaviour FindOut(KvmSystem system, KickSignal kick)
    {
        using KvmProbeMachine machine = new(system, kick);
        IReadOnlyList<string> unsupported = KvmPrivilegedCode.FindUnsupported(machine);

        // Where privileged code is emulated, KVM reads the page tables for it, and has copies for other code.
        return new KvmBehaviour(unsupported, unsupported.Count > 0 || KvmPageTableCopies.AreUsed(machine));
    }
}
