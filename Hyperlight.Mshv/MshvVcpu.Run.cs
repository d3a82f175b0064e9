using Hyperlight.Abstractions;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>Entering the guest.</summary>
internal sealed unsafe partial class MshvVcpu
{
    /// <summary>MSHV_RUN_VP.</summary>
    /// <param name="exit">Why the guest was left, if the result is 0.</param>
    /// <returns>0, or a negative errno: EAGAIN if the guest was left for nothing.</returns>
    /// <exception cref="HypervisorException">The registers of the run cannot be written, or the data of an OUTS cannot be looked for.</exception>
    public int Run(out VmExit exit)
    {
        ThrowIfDisposed();
        EndBatch();
        WritePendingRegisters();
        _hasRun = true;

        // SAFETY: a local structure of the request's type, which the kernel fills.
        HvMessage message = default;
        int result = _handle.Ioctl(MshvIoctls.MSHV_RUN_VP, &message);
        NoteTakenRegisters(wasIntercepted: result >= 0);
        if (result < 0)
        {
            exit = default;
            return result;
        }

        if (message.MessageType == HvMessage.HVMSG_X64_IO_PORT_INTERCEPT && message.IoPort.IsStringOutput)
        {
            return ExecuteStringOutput(in message.IoPort, out exit);
        }

        exit = MshvExitDecoder.Decode(in message);
        NoteExit(exit.Reason);
        if (exit.Reason == VmExitReason.IoOut)
        {
            // Unlike KVM, the hypervisor leaves RIP at the instruction.
            SkipInstruction(message.Intercept.Rip + message.Intercept.InstructionLength);
        }

        return 0;
    }
}
