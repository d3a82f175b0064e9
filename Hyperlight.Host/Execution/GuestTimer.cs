using System.Diagnostics;
using Hyperlight.Abstractions;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Execution.Waiting;
using Hyperlight.Host.Protocol;
using Hyperlight.Host.Sandboxes;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Execution;

/// <summary>
/// The timer that a guest sets by writing its period to a port: it interrupts the guest, until it is stopped or the operation
/// ends. The timer's thread only notes that the time has come, and makes the guest exit; the vCPU's thread injects the interrupt.
/// The next period begins when the guest can be interrupted: an interrupt that the guest holds back stands for those that follow it.
/// </summary>
internal sealed class GuestTimer : ICallWaiter
{
    /// <summary>The vector of the guest ABI.</summary>
    public const byte Vector = 0x20;

    private const byte PeriodSize = sizeof(uint);
    private static readonly TimeSpan ShortestPeriod = TimeSpan.FromMicroseconds(100);
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromSeconds(10);

    private readonly object _sync = new();
    private readonly IInterruptInjector _injector;
    private readonly SandboxGate _gate;
    private readonly ILogger _logger;
    private readonly DeadlineTimer _timer;
    private readonly Deadline _deadline;

    /// <summary>Zero while the timer is stopped.</summary>
    private TimeSpan _period;

    /// <summary>When the time of the last interrupt came.</summary>
    private long _due;

    /// <summary>The time of an interrupt has come.</summary>
    private volatile bool _isDue;

    /// <summary>The guest cannot be interrupted yet; its machine exits when it can.</summary>
    private bool _awaitsWindow;

    /// <summary>The vCPU's thread waits here, and not in the guest.</summary>
    private bool _isWaiting;

    /// <summary>The machine was made to exit, and that exit was not seen yet.</summary>
    private int _kicked;

    /// <param name="machine">A machine that injects interrupts.</param>
    /// <param name="gate">The operations of the sandbox.</param>
    /// <param name="logger">For failures on the timer's thread.</param>
    /// <param name="timer">Measures the periods; <see langword="null"/> for the one of the process.</param>
    public GuestTimer(IVirtualMachine machine, SandboxGate gate, ILogger logger, DeadlineTimer? timer = null)
    {
        _injector = (IInterruptInjector)machine;
        _gate = gate;
        _logger = logger;
        _timer = timer ?? DeadlineTimer.Shared;
        _deadline = new Deadline(Expire);
    }

    /// <summary>Whether the guest has set the timer.</summary>
    public bool IsRunning => _period != TimeSpan.Zero;

    /// <inheritdoc/>
    public ulong Operation => _gate.Operation;

    /// <summary>Whether a sandbox has a timer.</summary>
    /// <exception cref="HypervisorException">It is to have one, and its machine does not inject interrupts.</exception>
    public static bool IsAvailable(string driver, IVirtualMachine machine, SandboxConfiguration configuration)
    {
        if (!configuration.GuestTimer)
        {
            return false;
        }

        bool isPossible = machine is IInterruptInjector;
        if (configuration.IsGuestTimerOptional)
        {
            return isPossible && configuration.RandomSeed is null;
        }

        return isPossible ? true : throw new HypervisorException(
            driver,
            nameof(SandboxConfiguration.GuestTimer),
            0,
            "its machines do not inject interrupts",
            $"Use another driver, or do not set {nameof(SandboxConfiguration)}.{nameof(SandboxConfiguration.GuestTimer)}.");
    }

    /// <summary>The error for a timer on a driver that does not inject interrupts.</summary>
    /// <exception cref="UnsupportedConfigurationException">The sandbox is to have one.</exception>
    public static void Refuse(string driver, SandboxConfiguration configuration)
    {
        if (configuration is { GuestTimer: true, IsGuestTimerOptional: false })
        {
            throw new UnsupportedConfigurationException(
                nameof(SandboxConfiguration.GuestTimer),
                (FormattableString)$"true",
                driver,
                "which does not inject interrupts",
                "Use another driver, or do not set it.");
        }
    }

    /// <summary>
    /// Serves a write to the port of the timer, or to one of the legacy interrupt controller and timer, which guests that have a
    /// timer write to: nothing is done then.
    /// </summary>
    /// <returns>Whether it is one of these ports.</returns>
    /// <exception cref="GuestProtocolException">The period does not have 32 bits.</exception>
    public bool Handle(in VmExit exit)
    {
        if (exit.Port != GuestPort.Timer)
        {
            return LegacyPorts.Contains(exit.Port);
        }

        if (exit.AccessSize != PeriodSize)
        {
            throw new GuestProtocolException(
                $"The guest wrote {exit.AccessSize} byte(s) to I/O port {GuestPort.Timer}, whose value, the period of its timer, has {PeriodSize} bytes.");
        }

        Stop();
        if (exit.Data != 0)
        {
            Start(TimeSpan.FromMicroseconds((uint)exit.Data));
        }

        return true;
    }

    /// <summary>Before the guest is entered: interrupts it if it is time.</summary>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    public void Interrupt()
    {
        if (!_isDue || _awaitsWindow)
        {
            return;
        }

        _awaitsWindow = !_injector.TryInjectInterrupt(Vector);
        if (!_awaitsWindow)
        {
            _isDue = false;
            TimeSpan late = Stopwatch.GetElapsedTime(_due);
            Arm(late < _period ? _period - late : TimeSpan.Zero);
        }
    }

    /// <summary>The guest can be interrupted.</summary>
    public void OpenWindow() => _awaitsWindow = false;

    /// <summary>Waits, for a guest that has halted, until it is to be interrupted or the operation is to end.</summary>
    /// <param name="interrupts">Ends the operation.</param>
    public void Wait(Interrupter interrupts)
    {
        // A halted guest can be interrupted.
        _awaitsWindow = false;
        interrupts.Wait(this);
        lock (_sync)
        {
            _isWaiting = true;
            while (!_isDue && _gate.RequestedReason is null)
            {
                Monitor.Wait(_sync);
            }

            _isWaiting = false;
        }
    }

    /// <inheritdoc/>
    public void End()
    {
        lock (_sync)
        {
            Monitor.PulseAll(_sync);
        }
    }

    /// <summary>Whether an exit by cancellation is the timer's.</summary>
    public bool TakeKick() => Interlocked.Exchange(ref _kicked, 0) != 0;

    /// <summary>Stops the timer, of the guest's will or because the operation is over.</summary>
    public void Stop()
    {
        if (!IsRunning)
        {
            return;
        }

        lock (_sync)
        {
            _timer.Disarm(_deadline);
            _period = TimeSpan.Zero;
            _isDue = false;
            _awaitsWindow = false;
        }
    }

    private void Start(TimeSpan period)
    {
        _period = period < ShortestPeriod ? ShortestPeriod : period > LongestPeriod ? LongestPeriod : period;
        Arm(_period);
    }

    private void Arm(TimeSpan delay) => _timer.Arm(_deadline, delay, _gate.Operation);

    /// <summary>Called on the timer's thread.</summary>
    private void Expire(ulong operation)
    {
        bool isInGuest;
        lock (_sync)
        {
            // It may have been stopped, and set again by a later operation.
            if (!IsRunning || !_gate.IsInProgress(operation))
            {
                return;
            }

            _due = Stopwatch.GetTimestamp();
            _isDue = true;
            isInGuest = !_isWaiting;
            Monitor.PulseAll(_sync);
        }

        if (isInGuest)
        {
            Kick();
        }
    }

    private void Kick()
    {
        Volatile.Write(ref _kicked, 1);
        try
        {
            _injector.RequestExit();
        }
        catch (Exception exception)
        {
            // An exception on the timer's thread ends the process. The guest is interrupted at its next exit.
            SandboxLog.CancellationFailed(_logger, exception);
        }
    }

    /// <summary>The interrupt controller, the interval timer, the speaker and the diagnostic port of a PC.</summary>
    private static class LegacyPorts
    {
        public static bool Contains(ushort port) => port is 0x20 or 0x21 or 0xA0 or 0xA1 or (>= 0x40 and <= 0x43) or 0x61 or 0x80;
    }
}
