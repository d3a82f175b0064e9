using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>Entering the guest.</summary>
internal sealed unsafe partial class WhpVcpu
{
    /// <summary>WHvRunVirtualProcessor.</summary>
    /// <returns>Why the guest was left; <see cref="VmExitReason.Cancelled"/> for a cancellation, whether or not it is a stale one.</returns>
    /// <exception cref="HypervisorException">
    /// The registers of the run cannot be written, the hypervisor could not run the processor, or the process that hosts the
    /// guest's memory has ended.
    /// </exception>
    public VmExit Run()
    {
        while (true)
        {
            WriteWaiting();
            int result = _partition.WinHv.RunVirtualProcessor(_partition.Value, WhpPartition.Vp, ExitContext, ExitContextSize);
            if (result < 0)
            {
                throw _partition.SurrogateFailure ?? WhpError.Create(result, nameof(WinHvPlatform.WHvRunVirtualProcessor));
            }

            if (Interpret(in *ExitContext) is { } exit)
            {
                return exit;
            }
        }
    }

    /// <returns>The exit; <see langword="null"/> if the guest goes on.</returns>
    private VmExit? Interpret(in WhvRunVpExitContext context)
    {
        if (context.ExitReason == WhvRunVpExitReasons.WHvRunVpExitReasonMemoryAccess && _partition.SurrogateFailure is { } failure)
        {
            // Without its memory a guest leaves for reasons that are not its own.
            throw failure;
        }

        if (context.ExitReason == WhvRunVpExitReasons.WHvRunVpExitReasonX64IoPortAccess && context.IoPortAccess.IsStringOutput)
        {
            return FinishStringOut(in context);
        }

        VmExit exit = WhpExitDecoder.Decode(in context);
        NoteExit(exit.Reason);
        if (exit.Reason == VmExitReason.IoOut)
        {
            SkipInstruction(in context);
        }

        return exit;
    }

    /// <summary>The hypervisor leaves RIP at the instruction; the processor goes on behind it.</summary>
    private void SkipInstruction(in WhvRunVpExitContext context)
    {
        ulong next = context.VpContext.Rip + (uint)context.VpContext.InstructionLength;
        _rip = context.VpContext.IsLongCode ? next : (uint)next;
        _waiting |= Waiting.Rip;
    }
}
