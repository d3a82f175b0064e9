namespace Hyperlight.Programs.Network;

/// <summary>Says that something has changed that the kernel may wait for. Can be used by several threads.</summary>
internal sealed class ChangeSignal
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at a change after this call.</summary>
    public Task Next()
    {
        lock (_lock)
        {
            if (_changed.Task.IsCompleted)
            {
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return _changed.Task;
        }
    }

    /// <summary>Something has changed.</summary>
    public void Note()
    {
        lock (_lock)
        {
            _changed.TrySetResult();
        }
    }
}
