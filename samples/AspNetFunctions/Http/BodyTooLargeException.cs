namespace Hyperlight.Samples.AspNetFunctions.Http;

/// <summary>A body has more bytes than the service reads.</summary>
internal sealed class BodyTooLargeException(int limit) : Exception($"The body has more than {limit} bytes, which is the limit.");
