using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Snapshots;

namespace Hyperlight;

/// <content>Snapshots of a sandbox, and going back to them.</content>
public sealed partial class MultiUseSandbox
{
    /// <summary>The snapshot that the guest is in the state of, if nothing changed since. It does not keep its memory alive.</summary>
    private SnapshotContent? _unchangedSince;

    private ulong _generation;

    /// <summary>
    /// Captures the current state of the guest: all memory that it has mapped, including mapped files, and its processor.
    /// The guest is not affected. If no call was made since the last snapshot or restore, the result shares the
    /// memory of that snapshot and equals it.
    /// </summary>
    /// <remarks>
    /// Pages that are mapped only at the addresses of scratch memory are not captured. Host functions are not captured
    /// either: the sandbox that the snapshot is restored into has its own, with the same signatures.
    /// </remarks>
    /// <exception cref="SnapshotException">
    /// The guest's page tables are invalid, or the guest uses a mapped file that cannot be read any more. The guest is not
    /// affected.
    /// </exception>
    /// <exception cref="MemoryRequestException">The captured page tables do not fit the configured scratch memory.</exception>
    /// <exception cref="ExecutionCanceledException">
    /// The <see cref="InterruptHandle"/> or the sandbox's disposal ended it. The guest is not affected.
    /// </exception>
    /// <exception cref="HypervisorException">A call of the hypervisor or the operating system failed.</exception>
    /// <exception cref="SandboxPoisonedException">The sandbox is poisoned.</exception>
    /// <exception cref="SandboxInUseException">A call is in progress.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed.</exception>
    /// <exception cref="HostMemoryException">The process is out of memory.</exception>
    public Snapshot TakeSnapshot()
    {
        Observation observation = _setup.Telemetry.BeginSnapshot();
        Snapshot snapshot;
        try
        {
            snapshot = TakeUnobserved();
        }
        catch (Exception exception)
        {
            observation.Fail(exception);
            throw;
        }

        observation.Succeed();
        return snapshot;
    }

    /// <summary>
    /// Restores the state of a snapshot of this sandbox, or of another one with the same guest and configuration. All later
    /// changes of memory and processor are undone. Files and host memory are unmapped; those pages of them that the guest
    /// had mapped when the snapshot was taken are part of the snapshot. A poisoned sandbox is usable again afterwards.
    /// </summary>
    /// <param name="snapshot">The snapshot.</param>
    /// <exception cref="SnapshotMismatchException">The snapshot does not fit this sandbox, which was not changed.</exception>
    /// <exception cref="HypervisorException">A call of the hypervisor or the operating system failed. The sandbox is poisoned; restoring may be tried again.</exception>
    /// <exception cref="SandboxInUseException">A call is in progress.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox or the snapshot was disposed.</exception>
    /// <exception cref="HostMemoryException">The process is out of memory.</exception>
    public void Restore(Snapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        Observation observation = _setup.Telemetry.BeginRestore();
        try
        {
            RestoreUnobserved(snapshot);
        }
        catch (Exception exception)
        {
            observation.Fail(exception);
            throw;
        }

        observation.Succeed();
    }

    /// <summary>The sandbox was just made from a snapshot.</summary>
    internal void StartFrom(SnapshotContent content)
    {
        _unchangedSince = content;
        _generation = content.Image.Generation;
    }

    private Snapshot TakeUnobserved()
    {
        _gate.Enter("taking a snapshot", this);
        try
        {
            if (_poison is { } cause)
            {
                throw new SandboxPoisonedException(cause);
            }

            return _unchangedSince is { } content && Snapshot.TryShare(content) is { } shared ? shared : Capture();
        }
        catch (OutOfMemoryException exception)
        {
            throw new HostMemoryException("Taking a snapshot", exception);
        }
        finally
        {
            LeaveGate();
        }
    }

    private void RestoreUnobserved(Snapshot snapshot)
    {
        _gate.Enter("restoring a snapshot", this);
        try
        {
            SnapshotContent content = snapshot.Acquire();
            try
            {
                SnapshotCompatibility.CheckHypervisor(content, _setup.Hypervisor.Name);
                SnapshotCompatibility.CheckLayout(content, _memory.Layout);
                SnapshotCompatibility.CheckFunctions(content, _setup.Functions);
                SnapshotCompatibility.CheckMappings(content, _runner.Mappings.Regions);
                _runner.CheckProcessor(content.Processor);
                Restore(content);
            }
            finally
            {
                content.Image.Release();
            }
        }
        catch (OutOfMemoryException exception)
        {
            throw new HostMemoryException("Restoring a snapshot", exception);
        }
        finally
        {
            LeaveGate();
        }
    }

    private Snapshot Capture()
    {
        GuestImage image = _runner.CaptureMemory(_setup.Hypervisor.Hypervisor, _generation + 1, out int unresolvedLeaves);
        try
        {
            if (unresolvedLeaves > 0)
            {
                SandboxLog.PagesLeftOut(_setup.Logger, Id, unresolvedLeaves);
            }

            var content = new SnapshotContent(
                image,
                _runner.CaptureProcessor(),
                _setup.Functions.Signatures(),
                _setup.Hypervisor.Name,
                _setup.Hypervisor.Hypervisor.ProcessorVendor,
                _setup.Guest,
                _setup.Source)
            {
                Mappings = [.. _runner.Mappings.Regions.Where(static region => region.IsRetained).Select(RetainedMapping.Of)],
            };
            _generation = image.Generation;
            _unchangedSince = content;
            return new Snapshot(content);
        }
        catch
        {
            image.Release();
            throw;
        }
    }

    private void Restore(SnapshotContent content)
    {
        _unchangedSince = null;
        try
        {
            _runner.Restore(content.Image, content.Processor);
        }
        catch (Exception exception)
        {
            _poison = exception;
            _setup.Telemetry.RecordPoisoning(exception);
            SandboxLog.RestoreFailed(_setup.Logger, Id, exception.GetType().Name);
            throw;
        }

        _counted.Use(content.Image);
        _runner.Ports.Faults.Guest = content.Guest;
        StartFrom(content);
        _poison = null;
    }
}
