namespace Hyperlight.Tests.Exploration;

/// <summary>
/// Runs a scenario once for each order of its threads' accesses that can make a difference: a depth-first search over the
/// choices of which thread goes next, with sleep sets, which leave out orders that differ only in independent accesses.
/// </summary>
internal sealed class Exploration(IScenario scenario) : IDisposable
{
    private readonly List<Choice> _choices = [];
    private readonly List<ExploredThread> _threads = [];
    private readonly SemaphoreSlim _paused = new(0);

    /// <summary>How many executions were complete.</summary>
    public int Executions { get; private set; }

    /// <summary>Runs all of them, until one fails.</summary>
    /// <returns>What is wrong and in which order of accesses, or <see langword="null"/>.</returns>
    public string? Run()
    {
        do
        {
            if (Execute() is { } problem)
            {
                return problem + Environment.NewLine + string.Join(Environment.NewLine, _choices.Select(c => c.ToString()));
            }
        }
        while (Advance());
        return null;
    }

    public void Dispose()
    {
        _threads.ForEach(t => t.Dispose());
        _paused.Dispose();
    }

    private string? Execute()
    {
        IReadOnlyList<Action> bodies = scenario.Begin();
        while (_threads.Count < bodies.Count)
        {
            _threads.Add(new ExploredThread(_paused));
        }

        for (int i = 0; i < bodies.Count; i++)
        {
            _threads[i].Begin(bodies[i]);
        }

        bool isComplete = Interleave();
        string? problem = scenario.End();
        if (!isComplete)
        {
            return null;
        }

        Executions++;
        return _threads.Find(t => t.Failure is not null)?.Failure?.ToString() ?? problem;
    }

    /// <summary>Lets the threads go on, one access at a time, until all have ended.</summary>
    /// <returns>False if this order is one that was seen before.</returns>
    private bool Interleave()
    {
        HashSet<int> sleeping = [];
        for (int depth = 0; _threads.Exists(t => !t.HasEnded);)
        {
            int[] enabled = [.. Enumerable.Range(0, _threads.Count).Where(i => !_threads[i].HasEnded && (_threads[i].Condition?.Invoke() ?? true))];
            if (enabled.Length == 0)
            {
                // All wait for one another: the first is told that what it waits for does not come.
                _threads.Find(t => !t.HasEnded)!.Step(answer: false);
                sleeping = [];
                continue;
            }

            if (depth == _choices.Count)
            {
                int first = Array.FindIndex(enabled, i => !sleeping.Contains(i));
                if (first < 0)
                {
                    RunFreely();
                    return false;
                }

                _choices.Add(new Choice([.. _threads.Select(t => t.Next)], enabled, [.. sleeping], enabled[first]));
            }

            Choice choice = _choices[depth++];
            sleeping = choice.SleepingAfter();
            _threads[choice.Chosen].Step();
        }

        return true;
    }

    /// <summary>Ends an execution without looking at it: one thread after the other, and none waits.</summary>
    private void RunFreely()
    {
        _threads.ForEach(t => t.IsFree = true);
        _threads.FindAll(t => !t.HasEnded).ForEach(t => t.Step(answer: false));
    }

    /// <summary>Changes the last choice that can be changed.</summary>
    private bool Advance()
    {
        while (_choices.Count > 0)
        {
            if (_choices[^1].TryNext())
            {
                return true;
            }

            _choices.RemoveAt(_choices.Count - 1);
        }

        return false;
    }

    /// <summary>One choice of which thread goes next.</summary>
    private sealed class Choice(Access[] next, int[] enabled, HashSet<int> sleeping, int chosen)
    {
        public int Chosen { get; private set; } = chosen;

        /// <summary>The threads that were explored at this place or earlier, and that what is chosen here does not disturb.</summary>
        public HashSet<int> SleepingAfter() => [.. sleeping.Where(i => !next[i].DependsOn(next[Chosen]))];

        public bool TryNext()
        {
            sleeping.Add(Chosen);
            int index = Array.FindIndex(enabled, i => !sleeping.Contains(i));
            if (index < 0)
            {
                return false;
            }

            Chosen = enabled[index];
            return true;
        }

        public override string ToString() => $"thread {Chosen}: {next[Chosen]}";
    }
}
