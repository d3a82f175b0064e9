namespace Hyperlight.Tests.Exploration;

/// <summary>
/// What explored code calls before each access to shared state: instrumented code because it was rewritten to, scenarios by
/// themselves. On a thread that is not explored these do nothing.
/// </summary>
/// <remarks>Public, because rewritten assemblies call it.</remarks>
public static class Explorer
{
    [ThreadStatic]
    private static ExploredThread? _current;

    private static bool _isCancelling;

    /// <summary>Which explored thread the calling thread is.</summary>
    internal static void Become(ExploredThread thread) => _current = thread;

    /// <summary>Another thread may go first.</summary>
    public static void Point(string variable, bool isWrite) => _current?.Pause(new Access(variable, isWrite), null);

    /// <summary>Waits for a condition on shared state.</summary>
    /// <returns>False if no thread can make it true any more.</returns>
    public static bool Wait(string variable, Func<bool> condition) =>
        _current?.Pause(new Access(variable, true), condition) ?? condition();

    /// <summary>Cancels a source whose callbacks are explored.</summary>
    public static void Cancel(CancellationTokenSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        Point("token", true);
        _isCancelling = true;
        source.Cancel();
        Point("token", true);
        _isCancelling = false;
    }

    /// <summary>
    /// Takes the place of <see cref="CancellationTokenRegistration.Dispose"/>, which waits for a callback that is running;
    /// the thread that runs it may be one that is paused.
    /// </summary>
    public static void DisposeRegistration(ref CancellationTokenRegistration registration)
    {
        Point("token", true);
        if (!registration.Unregister())
        {
            Wait("token", static () => !_isCancelling);
        }
    }
}
