namespace Hyperlight.Tests.Soak;

/// <summary>An answer that was wrong, or memory that did not stay flat.</summary>
internal sealed class SoakFailure(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>Compares an answer.</summary>
    /// <exception cref="SoakFailure">It is wrong.</exception>
    public static void Check<T>(T actual, T expected, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(actual, expected))
        {
            throw new SoakFailure($"{what} is {actual}, and should be {expected}.");
        }
    }

    /// <summary>Does what must fail.</summary>
    /// <exception cref="SoakFailure">It succeeded. Other exceptions than the one expected pass through.</exception>
    public static TException Expect<TException>(Action action, string what)
        where TException : Exception
    {
        try
        {
            action();
        }
        catch (TException exception)
        {
            return exception;
        }

        throw new SoakFailure($"{what} succeeded, and should fail with {typeof(TException).Name}.");
    }
}
