using Hyperlight.Host.Budgets;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Execution;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Memory.Mappings;
using Hyperlight.Host.Sandboxes;

namespace Hyperlight;

/// <summary>
/// A guest that is loaded but has not run, and has no virtual machine yet. Register host functions, then call <see
/// cref="Evolve"/>. Not thread-safe.
/// </summary>
public sealed partial class UninitializedSandbox : IHostFunctionRegistrar, IDisposable
{
    private readonly SandboxSetup _setup;
    private readonly PendingMappings _pending;
    private GuestMemory? _memory;

    internal UninitializedSandbox(SandboxSetup setup, GuestMemory memory)
    {
        _setup = setup;
        _memory = memory;
        _pending = new PendingMappings(setup.Logger);
    }

    /// <summary>The hypervisor that will run the guest, and why.</summary>
    public HypervisorSelection Hypervisor => _setup.Hypervisor;

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed or evolved.</exception>
    public void AddHostFunction(HostFunction hostFunction)
    {
        ArgumentNullException.ThrowIfNull(hostFunction);
        ObjectDisposedException.ThrowIf(_memory is null, this);
        _setup.Functions.Add(hostFunction);
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed or evolved.</exception>
    public bool RemoveHostFunction(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ObjectDisposedException.ThrowIf(_memory is null, this);
        return _setup.Functions.Remove(name);
    }

    /// <summary>
    /// Creates the virtual machine and runs the guest's initialisation. Afterwards this object cannot be used any more,
    /// whether this succeeds or not. If it fails, all resources are released.
    /// </summary>
    /// <param name="cancellationToken">Ends a guest that does not finish its initialisation.</param>
    /// <returns>The sandbox, which is ready for calls.</returns>
    /// <exception cref="GuestInitializationException">The guest failed; the inner exception is the cause.</exception>
    /// <exception cref="GuestMsrException">The hypervisor does not have a register that the configuration permits.</exception>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    /// <exception cref="MappingLimitException">The hypervisor has fewer memory slots than there are mappings.</exception>
    /// <exception cref="ExecutionCanceledException">The token was cancelled, or the guest exceeded <see cref="SandboxConfiguration.Budget"/> (<see cref="BudgetExceededException"/>).</exception>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed or evolved.</exception>
    /// <exception cref="HostMemoryException">The process is out of memory.</exception>
    public MultiUseSandbox Evolve(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        GuestMemory memory = _memory;
        _memory = null;
        Observation observation = _setup.Telemetry.BeginCreate(isFromSnapshot: false);
        try
        {
            CallLimits.ThrowIfCancelled(cancellationToken);
            var ports = new PortHandler(memory, _setup.Functions, _setup.GuestLog, _setup.DebugOutput, new FaultLocator(_setup.Guest));
            GuestRunner runner = GuestRunner.Create(
                _setup.Hypervisor.Hypervisor, memory, ports, _setup.Configuration, _setup.GuestLog.Level, _setup.Logger, _setup.Telemetry);
            try
            {
                ApplyMappings(runner, memory);
                Initialize(runner, cancellationToken);
                var sandbox = new MultiUseSandbox(_setup, memory, runner);
                SandboxLog.Ready(_setup.Logger, sandbox.Id, _setup.Source, Hypervisor.Name, Hypervisor.Reason);
                observation.Succeed();
                return sandbox;
            }
            catch
            {
                runner.Dispose();
                throw;
            }
        }
        catch (Exception exception)
        {
            memory.Dispose();
            observation.Fail(exception);
            _setup.Telemetry.RecordFailure(exception);
            if (exception is OutOfMemoryException cause)
            {
                throw new HostMemoryException("Building a sandbox", cause);
            }

            throw;
        }
        finally
        {
            _pending.Dispose();
        }
    }

    /// <summary>Releases the guest's memory and the prepared files, unless the sandbox was evolved.</summary>
    public void Dispose()
    {
        GuestMemory? memory = _memory;
        _memory = null;
        _pending.Dispose();
        memory?.Dispose();
    }

    private void Initialize(GuestRunner runner, CancellationToken cancellationToken)
    {
        runner.Gate.Enter("the initialisation", this);
        try
        {
            runner.BeginCall(new BudgetLimits(_setup.Configuration.Budget));
            using Interrupter.Watch watch = runner.Interrupts.Begin(cancellationToken);
            runner.Initialize();
        }
        catch (HyperlightException exception) when (exception is not (GuestInitializationException or HypervisorException))
        {
            throw new GuestInitializationException(exception.Message, exception);
        }
        finally
        {
            _setup.Output.Flush();
            runner.Gate.Leave();
        }
    }
}
