namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// The machines of a driver that keep compiled code. When its memory is used up, they are asked to give theirs up: otherwise
/// machines that do not run could use all of it, and the code of others would be interpreted. Safe for all threads.
/// </summary>
/// <param name="time">The time between two requests is measured with it.</param>
internal sealed class CodeHolders(TimeProvider time)
{
    /// <summary>A guest can use up the memory again and again. The others are not made to compile their code more often than this.</summary>
    private static readonly TimeSpan LeastInterval = TimeSpan.FromSeconds(1);

    private const int FewestToPrune = 64;

    private readonly Lock _lock = new();
    private readonly List<WeakReference<ICodeHolder>> _holders = [];
    private int _pruneAt = FewestToPrune;
    private long? _lastRequest;
    private WeakReference<ICodeHolder>? _lastWanting;

    /// <summary>Adds a machine, for as long as it exists.</summary>
    public void Add(ICodeHolder holder)
    {
        lock (_lock)
        {
            if (_holders.Count >= _pruneAt)
            {
                _holders.RemoveAll(static reference => !reference.TryGetTarget(out _));
                _pruneAt = Math.Max(FewestToPrune, 2 * _holders.Count);
            }

            _holders.Add(new WeakReference<ICodeHolder>(holder));
        }
    }

    /// <summary>
    /// Asks all but one to give their code up, unless that was done a moment ago: then the one for which it was done is asked, as it may be the
    /// one that has the memory now.
    /// </summary>
    /// <param name="wanting">The one that needs memory.</param>
    /// <returns>Whether all were asked.</returns>
    public bool AskOthers(ICodeHolder wanting)
    {
        ICodeHolder? former = null;
        bool isAllowed;
        lock (_lock)
        {
            isAllowed = _lastRequest is not { } last || time.GetElapsedTime(last) >= LeastInterval;
            if (isAllowed)
            {
                _lastRequest = time.GetTimestamp();
                _lastWanting = new WeakReference<ICodeHolder>(wanting);
            }
            else if (_lastWanting is { } reference && reference.TryGetTarget(out former) && !ReferenceEquals(former, wanting))
            {
                _lastWanting = null;
            }
            else
            {
                former = null;
            }
        }

        // Not by the thread of the one that needs memory, whose time is that of its guest: the others can have much code.
        if (isAllowed)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static state => state.Holders.Release(state.Wanting), (Holders: this, Wanting: wanting), preferLocal: false);
        }
        else if (former is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static holder => holder.ReleaseCode(), former, preferLocal: false);
        }

        return isAllowed;
    }

    /// <summary>Asks machines to give their code up. The collector frees its memory; a collection is begun.</summary>
    /// <param name="except">One that is not asked; <see langword="null"/> to ask all.</param>
    public void Release(ICodeHolder? except)
    {
        WeakReference<ICodeHolder>[] holders;
        lock (_lock)
        {
            holders = [.. _holders];
        }

        foreach (WeakReference<ICodeHolder> reference in holders)
        {
            if (reference.TryGetTarget(out ICodeHolder? holder) && !ReferenceEquals(holder, except))
            {
                holder.ReleaseCode();
            }
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
    }
}
