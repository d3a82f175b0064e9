namespace Hyperlight.Tests.Whp;

/// <summary>Processes that never run, and jobs that end them.</summary>
internal sealed partial class SimulatedWindows
{
    private readonly List<SimulatedProcess> _processes = [];
    private uint _nextProcessId = 1000;

    public int CreateJob(out nint job)
    {
        lock (_lock)
        {
            job = Add(new SimulatedJob());
            return 0;
        }
    }

    public int CreateSuspendedProcess(string path, out nint process, out uint processId)
    {
        lock (_lock)
        {
            process = 0;
            processId = 0;
            if (!File.Exists(path))
            {
                return FileNotFound;
            }

            CreatedProcesses++;
            SimulatedProcess created = new(processId = _nextProcessId += 4);
            _processes.Add(created);
            process = Add(created);
            return 0;
        }
    }

    public int AssignProcessToJob(nint job, nint process)
    {
        lock (_lock)
        {
            if (!TryFind(job, out SimulatedJob found) || !TryFind(process, out SimulatedProcess member))
            {
                return InvalidHandle;
            }

            found.Processes.Add(member);
            member.IsInJob = true;
            return 0;
        }
    }

    public int TerminateProcess(nint process)
    {
        lock (_lock)
        {
            if (!TryFind(process, out SimulatedProcess found))
            {
                return InvalidHandle;
            }

            End(found);
            return 0;
        }
    }

    public bool HasEnded(nint process) => Locked(() => !TryFind(process, out SimulatedProcess found) || found.HasEnded);

    /// <summary>Ends a process as something else on the machine may do.</summary>
    public void Kill(uint processId)
    {
        lock (_lock)
        {
            End(_processes.Single(p => p.Id == processId));
        }
    }

    /// <summary>The numbers of the processes that have not ended.</summary>
    public uint[] ProcessIds() => Locked(() => _processes.Select(static p => p.Id).ToArray());

    /// <summary>The process that a handle is of.</summary>
    internal SimulatedProcess? FindProcess(nint handle) =>
        Locked(() => TryFind(handle, out SimulatedProcess found) && !found.HasEnded ? found : null);

    private void End(SimulatedProcess process)
    {
        if (!process.HasEnded)
        {
            ProcessEnded?.Invoke(process);
            process.HasEnded = true;
            _processes.Remove(process);
            _views.FindAll(v => v.Process == process).ForEach(Remove);
        }
    }
}

/// <summary>A process.</summary>
internal sealed class SimulatedProcess(uint id)
{
    public uint Id => id;

    public bool HasEnded { get; set; }

    public bool IsInJob { get; set; }
}

/// <summary>A job whose processes end with it.</summary>
internal sealed class SimulatedJob
{
    public List<SimulatedProcess> Processes { get; } = [];
}
