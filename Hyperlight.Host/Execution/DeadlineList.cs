namespace Hyperlight.Host.Execution;

/// <summary>
/// The armed deadlines, in no order. Arming and disarming, which every call with a limit does, take constant time; looking
/// for those that are due, which is rare, looks at all.
/// </summary>
internal sealed class DeadlineList
{
    private readonly List<Deadline> _armed = [];

    public int Count => _armed.Count;

    /// <summary>Arms a deadline, or changes one that is armed.</summary>
    public void Arm(Deadline deadline, long due, ulong operation)
    {
        if (deadline.Index < 0)
        {
            deadline.Index = _armed.Count;
            _armed.Add(deadline);
        }

        deadline.Due = due;
        deadline.Operation = operation;
    }

    /// <summary>Disarms a deadline if it is armed.</summary>
    public void Disarm(Deadline deadline)
    {
        if (deadline.Index < 0)
        {
            return;
        }

        Deadline last = _armed[^1];
        _armed[deadline.Index] = last;
        last.Index = deadline.Index;
        _armed.RemoveAt(_armed.Count - 1);
        deadline.Index = -1;
    }

    /// <summary>When the next one expires; <see cref="long.MaxValue"/> if none is armed.</summary>
    public long Earliest()
    {
        long earliest = long.MaxValue;
        foreach (Deadline deadline in _armed)
        {
            earliest = Math.Min(earliest, deadline.Due);
        }

        return earliest;
    }

    /// <summary>Disarms all that are due.</summary>
    /// <param name="now">The time.</param>
    /// <param name="due">Receives them, with the operations that they were armed for.</param>
    public void TakeDue(long now, List<(Deadline Deadline, ulong Operation)> due)
    {
        for (int i = _armed.Count - 1; i >= 0; i--)
        {
            Deadline deadline = _armed[i];
            if (deadline.Due <= now)
            {
                due.Add((deadline, deadline.Operation));
                Disarm(deadline);
            }
        }
    }
}
