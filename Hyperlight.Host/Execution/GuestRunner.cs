using Hyperlight.Abstractions;
using Hyperlight.Host.Budgets;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Execution.Waiting;
using Hyperlight.Host.Functions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Memory.Mappings;
using Hyperlight.Host.Protocol;
using Hyperlight.Host.Sandboxes;
using Hyperlight.Host.Snapshots;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Execution;

/// <summary>
/// One guest in its virtual machine: brings it up, enters it for each call, and serves its exits until it halts. The
/// calling thread runs the vCPU.
/// </summary>
internal sealed partial class GuestRunner : IDisposable
{
    private const uint ImageSlot = 0;
    private const uint ScratchSlot = 1;
    private const uint FirstFreeSlot = 2;
    private const ulong StackAlignment = 16;
    private const ulong InterruptFlag = 1 << 9;

    private static readonly FpuRegisters CleanFpu = FpuRegisters.Reset;

    private readonly IVirtualMachine _machine;
    private readonly GuestMemory _memory;
    private readonly ILogger _logger;
    private readonly SandboxTelemetry _telemetry;
    private readonly ProcessorReset _processor;
    private readonly GuestSeed _seed;
    private readonly GuestLogLevel _logLevel;

    /// <summary>What knows which pages the guest has written; <see langword="null"/> if nothing does.</summary>
    private readonly IWriteTracker? _writeTracker;
    private readonly GuestTimer? _timer;
    private ulong _dispatchAddress;
    private ulong _stackPointer;
    private int _abandonedHostFunctions;

    private GuestRunner(
        IVirtualMachine machine,
        GuestMemory memory,
        PortHandler ports,
        InstructionLimit instructions,
        GuestSeed seed,
        GuestLogLevel logLevel,
        ProcessorReset processor,
        bool hasTimer,
        ILogger logger,
        SandboxTelemetry telemetry)
    {
        _machine = machine;
        Instructions = instructions;
        _memory = memory;
        Ports = ports;
        _seed = seed;
        _logLevel = logLevel;
        _logger = logger;
        _telemetry = telemetry;
        _processor = processor;
        _writeTracker = machine as IWriteTracker;
        _timer = hasTimer ? new GuestTimer(machine, Gate, logger) : null;
        Interrupts = new Interrupter(Gate, machine, new CallMeter(instructions, _writeTracker), logger) { Timer = _timer };
        Mappings = new MappedRegions(machine, FirstFreeSlot, logger);
    }

    /// <summary>Which operation is in progress, and whether it is to end.</summary>
    public SandboxGate Gate { get; } = new();

    /// <summary>Ends the operation in progress.</summary>
    public Interrupter Interrupts { get; }

    /// <summary>Whether the guest was entered since the last call began.</summary>
    public bool HasEntered { get; private set; }

    public PortHandler Ports { get; }

    /// <summary>Whether an asynchronous host function still runs whose call has ended.</summary>
    public bool HasAbandonedHostFunctions => Volatile.Read(ref _abandonedHostFunctions) > 0;

    /// <summary>Whether the guest can have a timer.</summary>
    public bool HasTimer => _timer is not null;

    /// <summary>How much the guest may execute.</summary>
    public InstructionLimit Instructions { get; }

    /// <summary>What is mapped into the machine besides the guest's image and scratch memory.</summary>
    public MappedRegions Mappings { get; }

    /// <summary>Creates the virtual machine and maps the guest's memory into it.</summary>
    /// <exception cref="GuestMsrException">The hypervisor does not have a register that the configuration permits; nothing is left behind.</exception>
    /// <exception cref="HypervisorException">A call of the hypervisor failed; all resources are released.</exception>
    public static GuestRunner Create(
        IHypervisor hypervisor,
        GuestMemory memory,
        PortHandler ports,
        SandboxConfiguration configuration,
        GuestLogLevel logLevel,
        ILogger logger,
        SandboxTelemetry telemetry)
    {
        IVirtualMachine machine = hypervisor.CreateVirtualMachine(new VirtualMachineOptions
        {
            Msrs = configuration.GuestMsrs,
            RandomSeed = configuration.RandomSeed,
        });
        try
        {
            var instructions = new InstructionLimit(hypervisor.Name, machine, configuration.Budget.Instructions);
            machine.SetSpecialRegisters(InitialRegisters.Special(memory.Layout.PageTableAddress));
            machine.MapMemory(ImageSlot, memory.ImageMapping);
            machine.MapMemory(ScratchSlot, memory.ScratchMapping);
            var seed = new GuestSeed(configuration.RandomSeed);
            var processor = new ProcessorReset(hypervisor.Name, machine, configuration.GuestMsrs);
            bool hasTimer = GuestTimer.IsAvailable(hypervisor.Name, machine, configuration);
            return new GuestRunner(machine, memory, ports, instructions, seed, logLevel, processor, hasTimer, logger, telemetry);
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    /// <summary>Runs the guest's initialisation and learns where its dispatcher is.</summary>
    /// <exception cref="GuestInitializationException">The guest left a stack pointer that cannot be used.</exception>
    /// <exception cref="GuestProtocolException">The guest left a buffer that cannot be used.</exception>
    public void Initialize()
    {
        _machine.SetGeneralRegisters(InitialRegisters.Entry(_memory, _seed.AtStart(), _logLevel));
        RunToHalt();

        GeneralRegisters registers = _machine.GetGeneralRegisters();
        if (registers.Rsp % StackAlignment != 0)
        {
            throw new GuestInitializationException(
                $"it left the stack pointer 0x{registers.Rsp:X}, which is not a multiple of {StackAlignment}.");
        }

        UseDispatcher(registers.Rax, registers.Rsp);
        _memory.SettleBuffers();
    }

    /// <summary>Forgets leftovers of earlier calls.</summary>
    /// <param name="limits">The limits of the call.</param>
    /// <exception cref="UnsupportedConfigurationException">The limits include one that the driver cannot enforce.</exception>
    public void BeginCall(in BudgetLimits limits)
    {
        HasEntered = false;
        Ports.BeginCall();
        _telemetry.ForgetCalls();
        Interrupts.Meter.Begin(limits);
    }

    /// <summary>Sets the registers for a call. The guest has not run yet if this fails.</summary>
    public void PrepareDispatch()
    {
        _machine.SetGeneralRegisters(DispatchRegisters);
        _machine.SetFpuRegisters(CleanFpu);
    }

    /// <summary>
    /// Enters the guest and serves its exits until it says it has finished. Waits for asynchronous host functions on the
    /// calling thread.
    /// </summary>
    /// <exception cref="ExecutionCanceledException">The call was asked to end.</exception>
    /// <exception cref="HyperlightException">Anything else that ends a guest early; its state is unknown then.</exception>
    public void RunToHalt()
    {
        if (TaskScheduler.Current != TaskScheduler.Default)
        {
            // An asynchronous host function that came back to the scheduler of the caller's task would wait for that task, which
            // waits for the function. A task of the default scheduler that is run synchronously stays on this thread.
            var task = new Task(static runner => ((GuestRunner)runner!).RunToHaltHere(), this, TaskCreationOptions.DenyChildAttach);
            task.RunSynchronously(TaskScheduler.Default);
            task.GetAwaiter().GetResult();
            return;
        }

        RunToHaltHere();
    }

    private void RunToHaltHere()
    {
        while (Run() is { } pending)
        {
            WaitFor(pending).GetAwaiter().GetResult();
            Continue(pending);
        }
    }

    /// <summary>
    /// Enters the guest and serves its exits until it says it has finished, or has called an asynchronous host function that
    /// has not completed. No thread is needed then until <see cref="WaitFor"/> is over.
    /// </summary>
    /// <returns>The call of the host function; <see langword="null"/> if the guest has finished.</returns>
    /// <exception cref="ExecutionCanceledException">The call was asked to end.</exception>
    /// <exception cref="HyperlightException">Anything else that ends a guest early; its state is unknown then.</exception>
    public PendingHostCall? Run()
    {
        while (true)
        {
            _timer?.Interrupt();
            VmExit exit = Enter();
            switch (exit.Reason)
            {
                case VmExitReason.Halt when _timer is { IsRunning: true } && AreInterruptsOn:
                    WaitForTimer(_timer);
                    break;
                case VmExitReason.IoOut when exit.Port == GuestPort.Halt:
                case VmExitReason.Halt:
                    return null;
                case VmExitReason.IoOut when _timer is not null && _timer.Handle(exit):
                    break;
                case VmExitReason.InterruptWindow when _timer is not null:
                    _timer.OpenWindow();
                    break;
                case VmExitReason.IoOut:
                    if (Ports.Handle(exit, Interrupts) is { } pending)
                    {
                        return pending;
                    }

                    break;
                case VmExitReason.Cancelled when Gate.RequestedReason is not null:
                    throw Interrupts.CreateException(Ports.HostFunctionFailure?.Exception);
                case VmExitReason.Cancelled when _timer?.TakeKick() == true:
                    break;
                case VmExitReason.Cancelled:
                    SandboxLog.LateCancellation(_logger);
                    _telemetry.RecordLateCancellation();
                    break;
                case VmExitReason.InstructionBudgetExhausted:
                    throw Interrupts.Meter.InstructionsExceeded(Ports.HostFunctionFailure?.Exception);
                default:
                    throw Explain(exit);
            }
        }
    }

    /// <summary>Waits until a host function has completed, or the call is to end.</summary>
    public Task WaitFor(PendingHostCall pending)
    {
        var wait = new HostFunctionWait(Gate.Operation, pending.Task);
        Interrupts.Wait(wait);
        return wait.Over;
    }

    /// <summary>Answers the guest after <see cref="WaitFor"/>. If the call is to end, the next entry does that.</summary>
    /// <exception cref="MessageTooLargeException">The function's result does not fit.</exception>
    public void Continue(PendingHostCall pending)
    {
        if (pending.Task.IsCompleted)
        {
            Ports.Answer(pending, Interrupts);
        }
        else
        {
            pending.Observation.End(Outcome.Abandoned);
            Interlocked.Increment(ref _abandonedHostFunctions);
            AbandonedHostFunction.Observe(pending, _logger, () => Interlocked.Decrement(ref _abandonedHostFunctions));
        }
    }

    public void Dispose()
    {
        Interrupts.Detach();
        try
        {
            _machine.Dispose();
        }
        finally
        {
            Mappings.ReleaseAll();
        }
    }

    private bool AreInterruptsOn => (_machine.GetGeneralRegisters().Rflags & InterruptFlag) != 0;

    /// <summary>Waits as a processor that is halted does. The time counts as that of the vCPU, whose thread is not free.</summary>
    private void WaitForTimer(GuestTimer timer)
    {
        CallClock clock = Interrupts.Meter.Cpu;
        clock.Start();
        try
        {
            Interrupts.WatchCpuTime();
            timer.Wait(Interrupts);
        }
        finally
        {
            clock.Stop();
        }
    }

    private HyperlightException Explain(in VmExit exit)
    {
        string? location = Ports.Faults.Locate(_machine);
        MemoryAccessViolationException? unreadable = exit.Reason == VmExitReason.EmulationFailure
            ? FetchErrors.Explain(exit.Rip, _machine.GetSpecialRegisters().Cr3, _memory, Mappings, location)
            : null;
        return unreadable ?? ExitErrors.Translate(exit, Mappings, location);
    }

    private VmExit Enter()
    {
        if (Interrupts.IsCpuTimeExceeded)
        {
            Gate.Request(CancellationReason.Budget);
        }

        if (!Gate.TryEnterGuest())
        {
            return VmExit.Cancelled;
        }

        // A guest that is not entered does not flush either.
        _isFlushPending = false;
        HasEntered = true;
        CallClock clock = Interrupts.Meter.Cpu;
        clock.Start();
        VmExit exit;
        try
        {
            Interrupts.WatchCpuTime();
            exit = _machine.Run();
        }
        finally
        {
            clock.Stop();
            Gate.LeaveGuest();
        }

        _telemetry.RecordExit(exit);
        return exit;
    }
}
