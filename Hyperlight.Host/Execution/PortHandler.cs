using System.Text;
using CommunityToolkit.HighPerformance.Buffers;
using Hyperlight.Abstractions;
using Hyperlight.Host.Budgets;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Functions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Protocol;
using Hyperlight.Host.Wire;

namespace Hyperlight.Host.Execution;

/// <summary>Serves a guest's OUT instructions: everything a guest can ask of its host.</summary>
internal sealed class PortHandler
{
    private readonly GuestMemory _memory;
    private readonly HostFunctionTable _functions;
    private readonly GuestLog _log;
    private readonly DebugOutput _debugOutput;
    private readonly AbortReceiver _abort = new();

    public PortHandler(GuestMemory memory, HostFunctionTable functions, GuestLog log, DebugOutput debugOutput, FaultLocator faults)
    {
        Faults = faults;
        _memory = memory;
        _functions = functions;
        _log = log;
        _debugOutput = debugOutput;
    }

    /// <summary>Says where the guest failed.</summary>
    public FaultLocator Faults { get; }

    /// <summary>The host function that failed last in this call, if one did.</summary>
    public HostFunctionFailure? HostFunctionFailure { get; private set; }

    /// <summary>Forgets what belongs to an earlier call.</summary>
    public void BeginCall()
    {
        HostFunctionFailure = null;
        _abort.Reset();
    }

    /// <summary>Serves one OUT. The guest cannot go on if this throws.</summary>
    /// <param name="exit">The exit.</param>
    /// <param name="interrupts">What ends the call, and with it its host functions.</param>
    /// <returns>The host function that has to complete before the guest is entered again, or <see langword="null"/>.</returns>
    /// <exception cref="BudgetExceededException">The guest has called, logged or printed as much as it may.</exception>
    /// <exception cref="GuestAbortedException">The guest aborted.</exception>
    /// <exception cref="GuestProtocolException">The port is unknown, or what the guest sent is malformed.</exception>
    /// <exception cref="MessageTooLargeException">A host function's result does not fit.</exception>
    public PendingHostCall? Handle(in VmExit exit, Interrupter interrupts)
    {
        switch (exit.Port)
        {
            case GuestPort.CallFunction:
                return CallFunction(interrupts);
            case GuestPort.Log:
                Log(interrupts.Meter);
                break;
            case GuestPort.Abort:
                Abort((uint)exit.Data);
                break;
            case GuestPort.DebugPrint:
                DebugPrint((uint)exit.Data, interrupts.Meter);
                break;
            default:
                throw new GuestProtocolException($"The guest wrote 0x{exit.Data:X} to I/O port {exit.Port}, which the guest ABI does not have.");
        }

        return null;
    }

    /// <summary>Answers the guest's call of a host function that has completed.</summary>
    /// <exception cref="MessageTooLargeException">The result does not fit.</exception>
    public void Answer(PendingHostCall pending, Interrupter interrupts) =>
        HostFunctionFailure = HostFunctionTable.Answer(pending, _memory.Input, interrupts) ?? HostFunctionFailure;

    private PendingHostCall? CallFunction(Interrupter interrupts)
    {
        interrupts.Meter.CountHostCall(HostFunctionFailure?.Exception);
        using SpanOwner<byte> message = _memory.Output.Pop();
        HostFunctionAnswer answer = _functions.Answer(message.Span, _memory.Input, interrupts);
        HostFunctionFailure = answer.Failure ?? HostFunctionFailure;
        return answer.Pending;
    }

    private void Log(CallMeter meter)
    {
        meter.CountLogRecord(HostFunctionFailure?.Exception);
        using SpanOwner<byte> message = _memory.Output.Pop();
        _log.Write(GuestLogReader.Read(message.Span));
    }

    private void Abort(uint packet)
    {
        if (_abort.Receive(packet) is { } abort)
        {
            throw new GuestAbortedException(
                abort.Code, abort.Message, abort.ExceptionVector, HostFunctionFailure?.Exception, Remedy(abort))
            {
                Location = abort.ExceptionVector is null ? null : Faults.Locate(abort.Message),
            };
        }
    }

    /// <summary>The settings that a guest without memory needs larger. Not every guest says which, and none knows of snapshots.</summary>
    private string? Remedy(GuestAbort abort) => abort.Code == (byte)GuestErrorCode.OutOfMemory
        ? $"{nameof(SandboxConfiguration)}.{nameof(SandboxConfiguration.HeapSize)} is {_memory.Layout.HeapSize} bytes, "
            + $"{nameof(SandboxConfiguration.ScratchSize)} {_memory.Layout.ScratchSize}"
            + (_memory.Image.IsFresh ? string.Empty : "; they come from the snapshot that the sandbox started from, which must be taken again with larger ones")
        : null;

    private void DebugPrint(uint value, CallMeter meter)
    {
        if (!Rune.TryCreate(value, out Rune character))
        {
            throw new GuestProtocolException($"The guest sent 0x{value:X} to the debug output, which is not a Unicode character.");
        }

        meter.CountPrintedBytes(character.Utf8SequenceLength, HostFunctionFailure?.Exception);
        _debugOutput.Write(character);
    }
}
