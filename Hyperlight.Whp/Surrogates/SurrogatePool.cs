namespace Hyperlight.Whp;

/// <summary>
/// The surrogates of a driver: started when they are needed, up to a limit, and used again after all views were unmapped.
/// Safe to use from any thread. It keeps each of them until it has ended.
/// </summary>
/// <param name="kernel">Windows.</param>
/// <param name="directory">Where the program of the processes is, or is written to.</param>
/// <param name="options">How many there are.</param>
internal sealed class SurrogatePool(IWindowsKernel kernel, string directory, WhpOptions options) : IDisposable
{
    private readonly Lock _lock = new();

    /// <summary>Not disposed, as surrogates are given back later. It has no handle of the operating system.</summary>
    private readonly SemaphoreSlim _free = new(options.MaxSurrogates);
    private readonly Stack<Surrogate> _idle = [];
    private readonly HashSet<Surrogate> _all = [];
    private ObjectHandle? _job;
    private SurrogateExecutable? _executable;
    private bool _isClosed;

    /// <summary>How many processes there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _all.Count;
            }
        }
    }

    /// <summary>
    /// Takes a surrogate that is not in use, or starts one. Waits if the limit is reached.
    /// </summary>
    /// <exception cref="HypervisorException">
    /// All were in use until the time limit, or a process cannot be started.
    /// </exception>
    public Surrogate Rent()
    {
        if (!_free.Wait(options.SurrogateTimeout))
        {
            throw new HypervisorException(
                WhpHypervisor.DriverName,
                "Surrogate",
                0,
                $"all {options.MaxSurrogates} surrogate processes were in use for {options.SurrogateTimeout.TotalSeconds:0.###} seconds",
                $"Dispose sandboxes that are not needed, or raise {nameof(WhpOptions)}.{nameof(WhpOptions.MaxSurrogates)} ({WhpOptions.MaxSurrogatesVariable}).");
        }

        try
        {
            lock (_lock)
            {
                while (_idle.TryPop(out Surrogate? idle))
                {
                    if (!idle.HasEnded)
                    {
                        return idle;
                    }

                    Remove(idle);
                }

                // Those that the first machine does not need wait for others.
                int further = _all.Count > 0 ? 0 : Math.Min(options.InitialSurrogates, options.MaxSurrogates) - 1;
                for (int i = 0; i < further; i++)
                {
                    _idle.Push(Start());
                }

                return Start();
            }
        }
        catch
        {
            _free.Release();
            throw;
        }
    }

    /// <summary>Gives a surrogate back, whose views are unmapped. One that has ended is not used again.</summary>
    public void Return(Surrogate surrogate)
    {
        lock (_lock)
        {
            if (_isClosed || surrogate.HasEnded)
            {
                Remove(surrogate);
                CloseIfLast();
            }
            else
            {
                _idle.Push(surrogate);
            }
        }

        _free.Release();
    }

    /// <summary>Ends what is not in use now, and the others when they are given back.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isClosed = true;
            while (_idle.TryPop(out Surrogate? idle))
            {
                Remove(idle);
            }

            CloseIfLast();
        }
    }

    /// <exception cref="HypervisorException">The process cannot be started; nothing is left behind.</exception>
    private Surrogate Start()
    {
        _executable ??= SurrogateExecutable.Open(kernel, directory);
        if (_job is null)
        {
            WhpError.CheckWin32(kernel.CreateJob(out nint job), "CreateJobObjectW");
            _job = new ObjectHandle(kernel, job);
        }

        WhpError.CheckWin32(kernel.CreateSuspendedProcess(_executable.Path, out nint process, out uint id), "CreateProcessW");
        Surrogate surrogate = new(kernel, new ObjectHandle(kernel, process), id);
        int error = kernel.AssignProcessToJob(_job.DangerousGetHandle(), process);
        if (error != 0)
        {
            _ = kernel.TerminateProcess(process);
            surrogate.Process.Dispose();
            throw WhpError.CreateWin32(error, "AssignProcessToJobObject");
        }

        _all.Add(surrogate);
        return surrogate;
    }

    /// <summary>Ends a process. What fails here is without consequence: the job ends its processes with this one.</summary>
    private void Remove(Surrogate surrogate)
    {
        _all.Remove(surrogate);
        if (!surrogate.HasEnded)
        {
            _ = kernel.TerminateProcess(surrogate.Process.DangerousGetHandle());
        }

        surrogate.Process.Dispose();
    }

    private void CloseIfLast()
    {
        if (_isClosed && _all.Count == 0)
        {
            _job?.Dispose();
            _job = null;
            _executable?.Dispose();
            _executable = null;
        }
    }
}
