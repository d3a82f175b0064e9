using System.Diagnostics.Metrics;
using System.Text;
using Hyperlight.Abstractions;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Functions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Sandboxes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hyperlight;

/// <summary>
/// Creates sandboxes: choose a guest, register host functions, build. A builder can build any number of sandboxes; each has
/// the host functions that were registered before. Not thread-safe.
/// </summary>
public sealed partial class SandboxBuilder : IHostFunctionRegistrar
{
    private HostFunctionSet _functions = HostFunctionSet.Empty;

    /// <summary>The same with <see cref="_print"/>, once a sandbox was built: what those that follow share.</summary>
    private HostFunctionSet? _sandboxFunctions;

    private ILoggerFactory _loggers = NullLoggerFactory.Instance;
    private SandboxConfiguration _configuration = new();
    private CallBudget _budget = CallBudget.Unlimited;
    private GuestThreads _threads = GuestThreads.Default;
    private HyperlightMetrics _metrics = HyperlightMetrics.Default;
    private ulong? _seed;
    private GuestBinary? _guest;
    private InitData _initData = InitData.None;
    private HostFunction? _print = GuestOutput.ConsolePrint;
    private Action<Rune>? _debugPrint = GuestOutput.DebugPrintToConsole;

    /// <summary>Creates a builder that uses the first usable hypervisor of this machine.</summary>
    public SandboxBuilder()
        : this(HypervisorSelector.Default)
    {
    }

    /// <summary>Creates a builder that uses the first usable one of the selector's drivers, and finds names among them.</summary>
    internal SandboxBuilder(HypervisorSelector drivers)
    {
        _drivers = drivers;
        _selectHypervisor = drivers.Select;
    }

    /// <summary>The clock of the limit of log records.</summary>
    internal TimeProvider LogClock { get; set; } = TimeProvider.System;

    /// <summary>Chooses the guest by its file.</summary>
    /// <param name="path">An x86-64 ELF guest.</param>
    /// <exception cref="GuestBinaryException">The file cannot be read, or is not an x86-64 guest.</exception>
    public SandboxBuilder WithGuest(string path) => WithGuest(GuestBinary.FromFile(path));

    /// <summary>Chooses the guest.</summary>
    /// <param name="guest">A guest that was read before, and may be shared by many builders.</param>
    public SandboxBuilder WithGuest(GuestBinary guest)
    {
        ArgumentNullException.ThrowIfNull(guest);
        _guest = guest;
        _snapshot = null;
        return this;
    }

    /// <summary>Passes bytes to the guest as part of its image.</summary>
    /// <param name="data">The bytes; they are copied when a sandbox is built.</param>
    /// <param name="permissions">What the guest may do with them. Writes stay private to the sandbox. Default: read.</param>
    public SandboxBuilder WithInitData(ReadOnlyMemory<byte> data, MemoryFlags permissions = MemoryFlags.Read)
    {
        _initData = new InitData(data, permissions);
        return this;
    }

    /// <summary>Sets the configuration.</summary>
    /// <param name="configuration">The configuration.</param>
    public SandboxBuilder WithConfiguration(SandboxConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        _configuration = configuration;
        return this;
    }

    /// <summary>
    /// Limits each call, in addition to <see cref="SandboxConfiguration.Budget"/> and to budgets that were set with this method
    /// before: the tightest limit of each kind applies.
    /// </summary>
    /// <param name="budget">The limits.</param>
    public SandboxBuilder WithBudget(CallBudget budget)
    {
        ArgumentNullException.ThrowIfNull(budget);
        _budget = _budget.Tighten(budget);
        return this;
    }

    /// <summary>Sets the threads on which guests run that are called asynchronously. Default: <see cref="GuestThreads.Default"/>.</summary>
    /// <param name="threads">The threads, which sandboxes can share.</param>
    public SandboxBuilder WithGuestThreads(GuestThreads threads)
    {
        ArgumentNullException.ThrowIfNull(threads);
        _threads = threads;
        return this;
    }

    /// <summary>Logs what guests and the library have to say. Default: nothing is logged.</summary>
    /// <param name="loggers">
    /// Where the records go; guests use the category <c>Hyperlight.Guest</c>. Its exceptions end no operation: see
    /// <see cref="MultiUseSandbox.DiagnosticsError"/>.
    /// </param>
    public SandboxBuilder WithLogging(ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(loggers);
        _loggers = loggers;
        return this;
    }

    /// <summary>
    /// Records metrics with a meter of a factory, so that they can be told from those of other parts of the process. Default: a
    /// meter of the process. Both are named <see cref="HyperlightTelemetry.MeterName"/>. Builders of an <see
    /// cref="ISandboxFactory"/> use the factory of the application's services.
    /// </summary>
    /// <param name="meters">Creates the meter, once.</param>
    public SandboxBuilder WithMetrics(IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        return WithMetrics(HyperlightMetrics.Of(meters));
    }

    /// <summary>
    /// Takes what the guest prints through the host function <c>HostPrint</c>. Default: it goes to standard output, at most
    /// 65,536 characters for each call and with control characters escaped; in sandboxes of an <see cref="ISandboxFactory"/> it
    /// is logged line by line. A function <c>HostPrint</c> that is registered with this builder takes the place of it.
    /// </summary>
    /// <param name="print">
    /// Receives the text as the guest sent it, neither shortened nor escaped; it need not be a whole line. Its exceptions reach
    /// the guest, as those of any host function.
    /// </param>
    public SandboxBuilder WithPrint(Action<string> print)
    {
        ArgumentNullException.ThrowIfNull(print);
        _print = PrintFunction.Create(print);
        _sandboxFunctions = null;
        return this;
    }

    /// <summary>
    /// Takes what the guest writes to the debug port, character by character. Default: it goes to standard error, control
    /// characters escaped; in sandboxes of an <see cref="ISandboxFactory"/> it is logged line by line.
    /// </summary>
    /// <param name="debugPrint">
    /// Receives the characters. Guests send UTF-8 byte by byte, so that only ASCII arrives intact. Its exceptions end no
    /// operation: the first is logged, and see <see cref="MultiUseSandbox.DiagnosticsError"/>.
    /// </param>
    public SandboxBuilder WithDebugPrint(Action<Rune> debugPrint)
    {
        ArgumentNullException.ThrowIfNull(debugPrint);
        _debugPrint = debugPrint;
        return this;
    }

    /// <summary>Records metrics with a meter that was created before.</summary>
    internal SandboxBuilder WithMetrics(HyperlightMetrics metrics)
    {
        _metrics = metrics;
        return this;
    }

    /// <summary>Logs what the guest prints and writes to the debug port, unless the application takes it.</summary>
    internal SandboxBuilder WithLoggedOutput()
    {
        _print = null;
        _sandboxFunctions = null;
        _debugPrint = null;
        return this;
    }

    /// <inheritdoc/>
    public void AddHostFunction(HostFunction hostFunction)
    {
        ArgumentNullException.ThrowIfNull(hostFunction);
        if (_functions.Find(hostFunction.Name) is { } registered)
        {
            throw HostFunctionTable.NameTaken(hostFunction, registered);
        }

        _functions = _functions.With(hostFunction);
        _sandboxFunctions = null;
    }

    /// <inheritdoc/>
    public bool RemoveHostFunction(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (_functions.Find(name) is null)
        {
            return false;
        }

        _functions = _functions.Without(name);
        _sandboxFunctions = null;
        return true;
    }

    /// <summary>
    /// Builds a sandbox and runs the guest's initialisation, or starts from the snapshot. The sandbox is ready for calls.
    /// </summary>
    /// <param name="cancellationToken">Ends a guest that does not finish its initialisation.</param>
    /// <exception cref="InvalidOperationException">No guest and no snapshot was chosen.</exception>
    /// <exception cref="UnsupportedConfigurationException">The hypervisor cannot do what the configuration asks for.</exception>
    /// <exception cref="SnapshotMismatchException">The chosen snapshot is of another hypervisor, has registers that it does not have, or needs host functions that the builder lacks.</exception>
    /// <exception cref="HypervisorNotAvailableException">No hypervisor can be used; the message says what to do.</exception>
    /// <exception cref="GuestVersionMismatchException">The guest was built for a version that is not accepted.</exception>
    /// <exception cref="MemoryRequestException">The guest and the configuration do not fit.</exception>
    /// <exception cref="GuestInitializationException">The guest failed; the inner exception is the cause.</exception>
    /// <exception cref="GuestMsrException">The hypervisor does not have a register that the configuration permits.</exception>
    /// <exception cref="HypervisorException">A call of the hypervisor or the operating system failed.</exception>
    /// <exception cref="ExecutionCanceledException">The token was cancelled, or the guest exceeded <see cref="SandboxConfiguration.Budget"/> (<see cref="BudgetExceededException"/>).</exception>
    /// <exception cref="HostMemoryException">The process is out of memory.</exception>
    public MultiUseSandbox Build(CancellationToken cancellationToken = default)
    {
        try
        {
            if (_snapshot is { } snapshot)
            {
                return Build(snapshot, cancellationToken);
            }

            using UninitializedSandbox sandbox = BuildUninitialized();
            return sandbox.Evolve(cancellationToken);
        }
        catch (OutOfMemoryException exception)
        {
            throw new HostMemoryException("Building a sandbox", exception);
        }
    }

    /// <summary>Loads the guest and lays out its memory, but does not create a virtual machine yet.</summary>
    /// <exception cref="InvalidOperationException">No guest was chosen, or a snapshot was.</exception>
    /// <exception cref="UnsupportedConfigurationException">The hypervisor cannot do what the configuration asks for.</exception>
    /// <exception cref="HypervisorNotAvailableException">No hypervisor can be used; the message says what to do.</exception>
    /// <exception cref="GuestVersionMismatchException">The guest was built for a version that is not accepted.</exception>
    /// <exception cref="MemoryRequestException">The guest and the configuration do not fit.</exception>
    /// <exception cref="HypervisorException">The operating system refused the memory, or a file cannot be mapped.</exception>
    /// <exception cref="MappingOverlapException">A file's addresses are in use.</exception>
    /// <exception cref="MappingLimitException">There are more files than can be mapped.</exception>
    /// <exception cref="HostMemoryException">The process is out of memory.</exception>
    public UninitializedSandbox BuildUninitialized()
    {
        if (_snapshot is not null)
        {
            throw new InvalidOperationException($"A sandbox that starts from a snapshot is initialised; call {nameof(Build)} instead.");
        }

        try
        {
            GuestBinary guest = _guest ?? throw new InvalidOperationException($"No guest was chosen; call {nameof(WithGuest)} first.");
            if (guest.AbiVersion is { } version && !_configuration.AcceptedGuestVersions.Accepts(version))
            {
                throw new GuestVersionMismatchException(guest.Source, version, _configuration.AcceptedGuestVersions.ToString());
            }

            HypervisorSelection hypervisor = _selectHypervisor();
            SandboxSetup setup = CreateSetup(hypervisor, guest, guest.Source);
            return WithMappings(
                new UninitializedSandbox(setup, GuestMemory.Create(hypervisor.Hypervisor, guest, _initData, setup.Configuration)));
        }
        catch (OutOfMemoryException exception)
        {
            throw new HostMemoryException("Building a sandbox", exception);
        }
    }
}
