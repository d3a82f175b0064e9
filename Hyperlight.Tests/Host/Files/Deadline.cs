namespace Hyperlight.Tests.Host.Files;

/// <summary>Fails a test whose code never returns, instead of waiting for it.</summary>
internal static class Deadline
{
    private static readonly TimeSpan Generous = TimeSpan.FromMinutes(2);

    public static void Run(Action action, string what)
    {
        // A thread of its own: one that hangs stays behind, and must not hold the process.
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
        Assert.That(thread.Join(Generous), Is.True, $"{what}: it does not return");
        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }
}
