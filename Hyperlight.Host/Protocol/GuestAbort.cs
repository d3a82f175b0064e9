namespace Hyperlight.Host.Protocol;

/// <summary>What a guest said when it gave up.</summary>
/// <param name="Code">Its abort code.</param>
/// <param name="Message">Its message, possibly empty.</param>
/// <param name="ExceptionVector">The processor exception's number, if one was the cause.</param>
internal readonly record struct GuestAbort(byte Code, string Message, byte? ExceptionVector);
