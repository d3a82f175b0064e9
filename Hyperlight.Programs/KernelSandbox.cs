using Hyperlight.Programs.Images;

namespace Hyperlight.Programs;

/// <summary>A sandbox of the kernel with a loaded program, and the snapshot from which each run starts.</summary>
internal sealed class KernelSandbox : IDisposable
{
    private const string FromStart = "RunProgram";
    private const string FromCheckpoint = "ContinueProgram";
    private const string TrialFromCheckpoint = "TryProgram";

    private readonly ProgramTemplate _template;
    private readonly KernelMachine _machine;
    private readonly ImageInUse _image;
    private readonly SavedCheckpoint? _saved;
    private bool _isMachineTaken;

    /// <exception cref="ArgumentException">The input for a trial run is invalid, or there is no checkpoint; there is a start time, and no seed.</exception>
    /// <exception cref="ProgramImageException">The kernel does not run the executable.</exception>
    public KernelSandbox(ProgramTemplate template, CancellationToken cancellationToken)
    {
        ProgramSeed.Check(template);
        WarmUp.Check(template);
        _template = template;
        _image = ImageInUse.Open(template.Image, cancellationToken);
        KernelMachine? machine = null;
        try
        {
            _machine = machine = new KernelMachine(template, _image.File, cancellationToken);
            CheckInstructions(template.Limits, _machine.Sandbox);
            _saved = SavedCheckpoint.Of(template, _image.File, machine.Sandbox);
            cancellationToken.ThrowIfCancellationRequested();
            if (_saved?.TryRestore(machine.Sandbox) is { } loaded)
            {
                (Snapshot, Function, IsLoaded) = (loaded, FromCheckpoint, true);
            }
            else
            {
                _machine.Load(template.Image, (ulong)_image.File.Size, cancellationToken);
                Snapshot = _machine.Sandbox.TakeSnapshot();
            }
        }
        catch
        {
            machine?.Dispose();
            _image.Dispose();
            throw;
        }
    }

    /// <summary>The state from which each run starts.</summary>
    public Snapshot Snapshot { get; private set; }

    /// <summary>The kernel's function that runs the program from <see cref="Snapshot"/>.</summary>
    public string Function { get; private set; } = FromStart;

    /// <summary>Whether the checkpoint was loaded: the program is not run to it.</summary>
    public bool IsLoaded { get; private set; }

    /// <summary>Saves the checkpoint for later runners, if the template has a directory for it.</summary>
    /// <returns>Why it cannot be saved, if it is not.</returns>
    public SnapshotFileException? Save() => _saved?.Save(Snapshot);

    /// <summary>Another machine with the state of <see cref="Snapshot"/>, whose memory it shares. This object must exist as long as it.</summary>
    public KernelMachine CreateMachine(CancellationToken cancellationToken)
    {
        var machine = new KernelMachine(_template, _image.File, cancellationToken);
        try
        {
            machine.Sandbox.Restore(Snapshot);
            return machine;
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    /// <summary>Runs the program to its checkpoint, from which later runs continue, unless it ends before.</summary>
    public async Task<ProgramReport> WarmUpAsync(byte[] request, RunServices run, CancellationToken cancellationToken)
    {
        ProgramReport report = await RunAsync(request, run, cancellationToken).ConfigureAwait(false);
        if (report.IsAtCheckpoint)
        {
            ReplaceSnapshot();
            Function = FromCheckpoint;
        }

        return report;
    }

    /// <summary>Runs the program once from its checkpoint to its end, and has the kernel record which memory it uses.</summary>
    public Task<ProgramReport> TryAsync(byte[] request, RunServices run, CancellationToken cancellationToken) =>
        RunAsync(TrialFromCheckpoint, request, run, cancellationToken);

    /// <summary>Prepares later runs for the memory that the trial has used, unless the host has ended it.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (_machine.Sandbox.Status != SandboxStatus.Ready)
        {
            return;
        }

        byte[] workingSet = await _machine.WorkingSetAsync(_template.Limits, cancellationToken).ConfigureAwait(false);
        _machine.Sandbox.Restore(Snapshot);
        await _machine.KeepWorkingSetAsync(workingSet, _template.Limits, cancellationToken).ConfigureAwait(false);
        ReplaceSnapshot();
    }

    /// <summary>Runs the program from the snapshot to its end.</summary>
    public Task<ProgramReport> RunAsync(byte[] request, RunServices run, CancellationToken cancellationToken) =>
        RunAsync(Function, request, run, cancellationToken);

    /// <summary>
    /// Hands over the machine, which has the state of <see cref="Snapshot"/> and shares its memory. No program can be run with this object any
    /// more. If this fails, the machine is still disposed with this object.
    /// </summary>
    public KernelMachine TakeMachine()
    {
        _machine.Sandbox.Restore(Snapshot);
        _isMachineTaken = true;
        return _machine;
    }

    public void Dispose()
    {
        // Released in the opposite order, each also if another one cannot be.
        using ImageInUse image = _image;
        using Snapshot snapshot = Snapshot;
        if (!_isMachineTaken)
        {
            _machine.Dispose();
        }
    }

    private void ReplaceSnapshot()
    {
        Snapshot former = Snapshot;
        Snapshot = _machine.Sandbox.TakeSnapshot();
        former.Dispose();
    }

    /// <summary>Calls a function of the kernel that runs the program, in the state of <see cref="Snapshot"/>.</summary>
    private Task<ProgramReport> RunAsync(string function, byte[] request, RunServices run, CancellationToken cancellationToken)
    {
        _machine.Sandbox.Restore(Snapshot);
        return _machine.ExecuteAsync(_machine.Sandbox, function, request, run, cancellationToken);
    }

    /// <exception cref="UnsupportedConfigurationException">There is a limit of instructions, and the driver does not count them.</exception>
    private static void CheckInstructions(ProgramLimits limits, MultiUseSandbox sandbox)
    {
        if (limits.Instructions is { } count && sandbox.InstructionCount is null)
        {
            throw new UnsupportedConfigurationException(
                $"{nameof(ProgramLimits)}.{nameof(ProgramLimits.Instructions)}",
                count,
                sandbox.Hypervisor.Name,
                "which does not count instructions",
                "Run the program on the emulator, or do not set it.");
        }
    }
}
