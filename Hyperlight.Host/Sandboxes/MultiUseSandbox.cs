using Hyperlight.Host.Budgets;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Execution;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Sandboxes;
using Hyperlight.Host.Snapshots;

namespace Hyperlight;

/// <summary>
/// A running guest whose functions can be called any number of times. The guest keeps its state between calls.
/// The guest runs on the calling thread. Different threads can use a sandbox, but only one at a time; concurrent use throws
/// <see cref="SandboxInUseException"/>.
/// </summary>
public sealed partial class MultiUseSandbox : IHostFunctionRegistrar, IReleasable, IDisposable
{
    private readonly SandboxSetup _setup;
    private readonly GuestMemory _memory;
    private readonly GuestRunner _runner;
    private readonly SandboxGate _gate;
    private readonly CountedSandbox _counted;
    private readonly BudgetLimits _limits;
    private Action? _whenReleased;
    private volatile Exception? _poison;

    internal MultiUseSandbox(SandboxSetup setup, GuestMemory memory, GuestRunner runner)
    {
        _setup = setup;
        _memory = memory;
        _runner = runner;
        _gate = runner.Gate;
        _counted = setup.Telemetry.Count(memory.Image);
        _limits = new BudgetLimits(setup.Configuration.Budget);
        InterruptHandle = new InterruptHandle(runner.Interrupts);
    }

    /// <summary>A number that identifies the sandbox within the process.</summary>
    public long Id => _setup.Id;

    /// <summary>The hypervisor that runs the guest, and why it was chosen.</summary>
    public HypervisorSelection Hypervisor => _setup.Hypervisor;

    /// <summary>
    /// The guest program; <see langword="null"/> if the sandbox started from a snapshot that was loaded from a directory.
    /// </summary>
    public GuestBinary? Guest => _setup.Guest;

    /// <summary>Interrupts calls from other threads.</summary>
    public InterruptHandle InterruptHandle { get; }

    /// <summary>Whether the sandbox can be called.</summary>
    public SandboxStatus Status =>
        _gate.IsClosed ? SandboxStatus.Disposed : _poison is null ? SandboxStatus.Ready : SandboxStatus.Poisoned;

    /// <summary>
    /// How many instructions the guest has executed, its initialisation included; <see langword="null"/> if the driver does
    /// not count them.
    /// </summary>
    public long? InstructionCount => _runner.Instructions.Count;

    /// <summary>
    /// The last exception of a logger or of the debug output that the application set; <see langword="null"/> if there was
    /// none. Such an exception never ends an operation, and never hides another failure.
    /// </summary>
    public Exception? DiagnosticsError => _setup.SinkFailures.Last;

    /// <summary>Whether an asynchronous host function still runs whose call has ended. A restore does not end it.</summary>
    internal bool HasAbandonedHostFunctions => _runner.HasAbandonedHostFunctions;

    /// <summary>What the guest can call, in the order of the names.</summary>
    internal IReadOnlyList<HostFunctionSignature> HostFunctionSignatures => _setup.Functions.Signatures();

    /// <inheritdoc cref="SandboxConfiguration.RandomSeed"/>
    internal ulong? RandomSeed => _setup.Configuration.RandomSeed;

    /// <summary>Whether the guest can have a timer.</summary>
    internal bool HasTimer => _runner.HasTimer;

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed.</exception>
    public void AddHostFunction(HostFunction hostFunction)
    {
        ArgumentNullException.ThrowIfNull(hostFunction);
        ObjectDisposedException.ThrowIf(_gate.IsClosed, this);
        _setup.Functions.Add(hostFunction);
        _unchangedSince = null;
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed.</exception>
    public bool RemoveHostFunction(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ObjectDisposedException.ThrowIf(_gate.IsClosed, this);
        bool isRemoved = _setup.Functions.Remove(name);

        // Afterwards: a snapshot that another thread takes meanwhile may have the function.
        _unchangedSince = null;
        return isRemoved;
    }

    /// <summary>
    /// Releases the virtual machine and its memory. A call in progress on another thread is interrupted, and releases them
    /// when it ends.
    /// </summary>
    /// <exception cref="HypervisorException">The operating system refused to release something; everything else is released.</exception>
    public void Dispose()
    {
        if (_gate.Close(out InterruptedOperation interrupted))
        {
            Release();
        }
        else
        {
            _runner.Interrupts.Interrupt(interrupted);
        }
    }

    void IReleasable.WhenReleased(Action action)
    {
        if (Interlocked.CompareExchange(ref _whenReleased, action, null) is not null)
        {
            action();
        }
    }

    /// <summary>Stands for what was done when the resources were released.</summary>
    private static void Nothing()
    {
    }

    private void Release()
    {
        _counted.Dispose();
        _setup.GuestLog.ReportDropped(isLast: true);
        try
        {
            _runner.Dispose();
        }
        finally
        {
            try
            {
                _memory.Dispose();
            }
            finally
            {
                Interlocked.Exchange(ref _whenReleased, Nothing)?.Invoke();
            }
        }
    }
}
