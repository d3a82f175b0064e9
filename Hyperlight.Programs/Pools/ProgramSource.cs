using Hyperlight.Host.Pools;

namespace Hyperlight.Programs.Pools;

/// <summary>
/// The runners of a pool: their sandboxes have the state of one snapshot, and share its memory and the pages of the image. What runs a
/// program in a sandbox is kept with it (<see cref="LeaseServices.Attachment"/>).
/// </summary>
internal sealed class ProgramSource : ISandboxSource
{
    private readonly KernelSandbox _origin;

    /// <summary>The machine on which the snapshot was taken, until it is the first one of the pool.</summary>
    private KernelMachine? _first;

    /// <param name="origin">What the snapshot was taken with. It is disposed with the source.</param>
    public ProgramSource(KernelSandbox origin)
    {
        _origin = origin;
        _first = origin.TakeMachine();
    }

    public ISandbox Create(LeaseServices services, CancellationToken cancellationToken)
    {
        KernelMachine machine = Interlocked.Exchange(ref _first, null) ?? _origin.CreateMachine(cancellationToken);
        services.Attachment = new PooledProgram(machine, _origin.Function);
        return machine.Sandbox;
    }

    public void Restore(ISandbox sandbox)
    {
        var used = (MultiUseSandbox)sandbox;
        used.Restore(_origin.Snapshot);
        used.ForgetLastCall();
    }

    public void Dispose()
    {
        try
        {
            Interlocked.Exchange(ref _first, null)?.Dispose();
        }
        finally
        {
            _origin.Dispose();
        }
    }
}
