namespace Hyperlight.Tests.Host.Pools;

/// <summary>What a caller of the model does.</summary>
internal enum ModelAction
{
    Rent,
    CancelRent,
    FailToRent,
    Call,
    CancelCall,
    Crash,
    ExceedBudget,
    Restore,
    AddHostFunction,
    Return,
    ReturnDuringCall,
    Drop,
    Reload,
    Dispose,
    Drain,
}

/// <summary>How often each action was done. Thread-safe.</summary>
internal sealed class ModelActions
{
    private readonly long[] _counts = new long[Enum.GetValues<ModelAction>().Length];

    public long this[ModelAction action] => Volatile.Read(ref _counts[(int)action]);

    public void Count(ModelAction action, long count = 1) => Interlocked.Add(ref _counts[(int)action], count);

    public void Add(ModelActions other) => Array.ForEach(Enum.GetValues<ModelAction>(), action => Count(action, other[action]));

    public override string ToString() => string.Join(", ", Enum.GetValues<ModelAction>().Select(action => $"{action} {this[action]}"));
}
