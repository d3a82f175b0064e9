namespace Hyperlight.Programs;

/// <summary>A system call that a program made and that is not implemented: the program got <c>ENOSYS</c>.</summary>
/// <param name="Name">The name, such as <c>openat</c>; <c>unknown</c> for a number that Linux does not have.</param>
/// <param name="Count">How often the program made it.</param>
public sealed record UnsupportedSystemCall(string Name, long Count);
