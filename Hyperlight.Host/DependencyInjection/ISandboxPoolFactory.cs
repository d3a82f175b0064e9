namespace Hyperlight;

/// <summary>The pools of the templates that are registered with <c>AddSandbox</c> or configured. Thread-safe.</summary>
public interface ISandboxPoolFactory
{
    /// <summary>The names of the templates.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>The pool of a template; always the same one for a name.</summary>
    /// <param name="name">The name; case does not matter.</param>
    /// <exception cref="ArgumentException">There is no such template; the message lists those there are.</exception>
    ISandboxPool GetPool(string name);
}
