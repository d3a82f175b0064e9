using Hyperlight.Linux;
using Hyperlight.Whp;

namespace Hyperlight.Tests.Whp;

/// <summary>
/// A Windows with files, sections, views and processes, on Linux. A section is memory of its own (memfd), of which each view
/// is another mapping, so that views show the same bytes. All processes are simulated: their views lie in this one, and are
/// known by process and address.
/// </summary>
internal sealed partial class SimulatedWindows : IWindowsKernel
{
    public const int AccessDenied = 5;
    public const int InvalidHandle = 6;
    public const int NotEnoughMemory = 8;
    public const int InvalidAddress = 487;
    private const int PageSize = 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<nint, object> _handles = [];
    private nint _nextHandle = 0x100;

    public string? UnsupportedPlatform => null;

    /// <summary>Handles that are open: files, sections, processes, jobs.</summary>
    public int OpenHandles => Locked(() => _handles.Count);

    /// <summary>Views in this process.</summary>
    public int LocalViews => Locked(() => _views.Count(static v => v.Process is null));

    /// <summary>Views in other processes.</summary>
    public int RemoteViews => Locked(() => _views.Count(static v => v.Process is not null));

    /// <summary>Processes that have not ended.</summary>
    public int LiveProcesses => Locked(() => _processes.Count);

    /// <summary>How many processes were created.</summary>
    public int CreatedProcesses { get; private set; }

    /// <summary>How many views of sections were mapped in other processes.</summary>
    public int MappedRemoteViews { get; private set; }

    /// <summary>What a real Windows would have answered by corruption, or not at all.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>Called when a process has ended, with its handle's object, before its views are gone.</summary>
    public event Action<object>? ProcessEnded;

    /// <summary>Called before a view is unmapped: process (null for this one), address, size.</summary>
    public event Action<object?, ulong, ulong>? ViewUnmapping;

    public int CloseHandle(nint handle)
    {
        lock (_lock)
        {
            if (!_handles.Remove(handle, out object? target))
            {
                Violations.Add($"CloseHandle of 0x{handle:X}, which is not open");
                return InvalidHandle;
            }

            if (target is SimulatedJob job)
            {
                // JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE.
                job.Processes.ToList().ForEach(End);
            }
            else
            {
                (target as IDisposable)?.Dispose();
            }

            return 0;
        }
    }

    private nint Add(object target)
    {
        _nextHandle += 4;
        _handles.Add(_nextHandle, target);
        return _nextHandle;
    }

    private bool TryFind<T>(nint handle, out T target)
        where T : class
    {
        target = (_handles.TryGetValue(handle, out object? found) ? found as T : null)!;
        if (target is null)
        {
            Violations.Add($"0x{handle:X} is no handle of a {typeof(T).Name}");
        }

        return target is not null;
    }

    private T Locked<T>(Func<T> function)
    {
        lock (_lock)
        {
            return function();
        }
    }

    private static bool IsError(nint result) => result is < 0 and >= -4095;

    private static LinuxKernel Below => LinuxKernel.Instance;
}
