namespace Hyperlight.Host.Errors;

/// <summary>The text of exceptions that are not the library's own.</summary>
internal static class ExceptionText
{
    /// <summary>The exception's message; its type if the message itself throws.</summary>
    public static string MessageOf(Exception exception)
    {
        try
        {
            return exception.Message;
        }
        catch (Exception)
        {
            return exception.GetType().ToString();
        }
    }
}
