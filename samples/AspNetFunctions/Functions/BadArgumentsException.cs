namespace Hyperlight.Samples.AspNetFunctions.Functions;

/// <summary>The arguments of a request do not fit the function. The message is for the caller.</summary>
internal sealed class BadArgumentsException(string message, Exception? innerException = null) : Exception(message, innerException);
