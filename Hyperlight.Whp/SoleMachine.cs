using System.Runtime.CompilerServices;

namespace Hyperlight.Whp;

/// <summary>
/// Without surrogates a process has one machine: the platform maps the memory of a process into one partition only.
/// </summary>
internal sealed class SoleMachine
{
    private static readonly ConditionalWeakTable<IWinHv, SoleMachine> All = [];

    private int _exists;

    /// <summary>That of a process, which has one platform library.</summary>
    public static SoleMachine Of(IWinHv winHv) => All.GetValue(winHv, static _ => new SoleMachine());

    /// <summary>Takes the place of the machine.</summary>
    /// <exception cref="HypervisorException">There is a machine.</exception>
    public void Claim()
    {
        if (Interlocked.Exchange(ref _exists, 1) != 0)
        {
            throw new HypervisorException(
                WhpHypervisor.DriverName,
                "WHvMapGpaRange",
                0,
                "without surrogate processes, a process can have one virtual machine at a time",
                $"Set {WhpOptions.MaxSurrogatesVariable} or {nameof(WhpOptions)}.{nameof(WhpOptions.MaxSurrogates)} to more than 0, or dispose the other one first.");
        }
    }

    /// <summary>The machine is gone.</summary>
    public void Release() => Volatile.Write(ref _exists, 0);
}
