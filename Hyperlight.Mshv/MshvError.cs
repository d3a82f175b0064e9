using System.Runtime.CompilerServices;
using Hyperlight.Linux;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>Turns a refused call into a typed error.</summary>
internal static class MshvError
{
    /// <summary>Throws if a result is a negative errno.</summary>
    /// <param name="result">What the call returned.</param>
    /// <param name="operation">Its name in the kernel's header.</param>
    /// <exception cref="HypervisorException">The call failed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(int result, string operation)
    {
        if (result < 0)
        {
            throw Create(result, operation);
        }
    }

    /// <summary>Throws if a hypercall was refused, by the kernel or by the hypervisor behind it.</summary>
    /// <param name="outcome">What became of it.</param>
    /// <param name="operation">Its name in the hypervisor's header.</param>
    /// <exception cref="HypervisorException">The call failed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(HypercallOutcome outcome, string operation)
    {
        if (!outcome.Succeeded)
        {
            throw Create(outcome, operation);
        }
    }

    /// <summary>The error for a negative errno.</summary>
    public static HypervisorException Create(int result, string operation) =>
        Errno.ToException(MshvHypervisor.DriverName, operation, -result);

    /// <summary>The error for a hypercall: the kernel's code, and the hypervisor's reason if it was the one to refuse.</summary>
    public static HypervisorException Create(HypercallOutcome outcome, string operation)
    {
        int error = outcome.Result < 0 ? -outcome.Result : Errno.EIO;
        string status = outcome.Status == HvCalls.HV_STATUS_SUCCESS ? string.Empty : $" with hypervisor status {outcome.Status}";
        return Errno.ToException(MshvHypervisor.DriverName, operation + status, error);
    }
}
