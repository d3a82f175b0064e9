namespace Hyperlight.Tests.Exploration;

/// <summary>A thread that goes from one access to the next, when the exploration says so.</summary>
internal sealed class ExploredThread : IDisposable
{
    private readonly SemaphoreSlim _go = new(0);
    private readonly SemaphoreSlim _paused;
    private readonly Thread _thread;
    private Action? _body;
    private bool _answer;

    public ExploredThread(SemaphoreSlim paused)
    {
        _paused = paused;
        _thread = new Thread(Loop) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>What it does next.</summary>
    public Access Next { get; private set; }

    /// <summary>What it waits for; <see langword="null"/> for nothing.</summary>
    public Func<bool>? Condition { get; private set; }

    public bool HasEnded { get; private set; } = true;

    /// <summary>What its body threw.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Whether it does not pause any more: the rest of this execution is of no interest.</summary>
    public volatile bool IsFree;

    public void Begin(Action body)
    {
        _body = body;
        IsFree = false;
        HasEnded = false;
        Failure = null;
        Next = Access.Start;
        Condition = null;
    }

    /// <summary>Lets it do its access and go on to the next one.</summary>
    /// <param name="answer">What a wait returns.</param>
    public void Step(bool answer = true)
    {
        _answer = answer;
        _go.Release();
        _paused.Wait();
    }

    /// <summary>Called by the thread itself before an access.</summary>
    public bool Pause(Access access, Func<bool>? condition)
    {
        if (IsFree)
        {
            return condition?.Invoke() ?? true;
        }

        Next = access;
        Condition = condition;
        _paused.Release();
        _go.Wait();
        Condition = null;
        return _answer;
    }

    public void Dispose()
    {
        _body = null;
        _go.Release();
        _thread.Join();
        _go.Dispose();
    }

    private void Loop()
    {
        Explorer.Become(this);
        while (true)
        {
            _go.Wait();
            if (_body is not { } body)
            {
                return;
            }

            try
            {
                body();
            }
            catch (Exception exception)
            {
                Failure = exception;
            }

            HasEnded = true;
            _paused.Release();
        }
    }
}
