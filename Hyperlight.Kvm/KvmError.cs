using System.Runtime.CompilerServices;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>Turns a refused call into a typed error.</summary>
internal static class KvmError
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

    /// <summary>The error for a negative errno.</summary>
    public static HypervisorException Create(int result, string operation) =>
        Errno.ToException(KvmHypervisor.DriverName, operation, -result);
}
