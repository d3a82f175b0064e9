using Hyperlight.Linux;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>What became of a hypercall.</summary>
/// <param name="Result">What the kernel returned: 0 or a negative errno.</param>
/// <param name="Status">HV_STATUS: what the hypervisor said.</param>
/// <param name="Completed">How many repetitions were completed.</param>
internal readonly record struct HypercallOutcome(int Result, ushort Status, int Completed)
{
    /// <summary>Whether neither of the two refused.</summary>
    public bool Succeeded => Result >= 0 && Status == HvCalls.HV_STATUS_SUCCESS;
}

/// <summary>MSHV_ROOT_HVCALL.</summary>
internal static unsafe class MshvHypercall
{
    /// <summary>
    /// The kernel adds a page to the hypervisor's memory each time it asks for more. More than these are not needed by any
    /// call that is made here.
    /// </summary>
    private const int MostDeposits = 1024;

    /// <summary>Makes a hypercall, as often as the hypervisor asks for more memory.</summary>
    /// <param name="target">The partition or the virtual processor that it is about.</param>
    /// <param name="code">HVCALL_*.</param>
    /// <param name="reps">How many repetitions; 0 for a call that has none.</param>
    /// <param name="input">At most a page; it begins with the partition's number, which the kernel writes.</param>
    /// <param name="inputSize">Bytes of the input.</param>
    /// <param name="output">At most a page, or null.</param>
    /// <param name="outputSize">Bytes of the output.</param>
    public static HypercallOutcome Call(
        FileDescriptorHandle target, ushort code, int reps, void* input, int inputSize, void* output = null, int outputSize = 0)
    {
        for (int deposits = 0; ; deposits++)
        {
            MshvRootHvcall call = new()
            {
                Code = code,
                Reps = (ushort)reps,
                InSz = (ushort)inputSize,
                OutSz = (ushort)outputSize,
                InPtr = input,
                OutPtr = output,
            };

            // An attempt before this one has left the partition's number there.
            *(ulong*)input = 0;

            // SAFETY: a local structure of the request's type; the caller keeps input and output in place, and says their sizes.
            int result = target.Ioctl(MshvIoctls.MSHV_ROOT_HVCALL, &call);
            bool mustRepeat = result == -Errno.EINTR
                || (result == -Errno.EAGAIN && call.Status == HvCalls.HV_STATUS_INSUFFICIENT_MEMORY && deposits < MostDeposits);
            if (!mustRepeat)
            {
                return new HypercallOutcome(result, call.Status, call.Reps);
            }
        }
    }
}
