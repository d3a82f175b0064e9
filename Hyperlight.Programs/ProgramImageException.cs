namespace Hyperlight.Programs;

/// <summary>A file cannot be run as a program: it cannot be read, or is not a static executable for x86-64 Linux.</summary>
public sealed class ProgramImageException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="name">The name of the image.</param>
    /// <param name="problem">What is wrong with it.</param>
    /// <param name="innerException">The exception that is the cause, or <see langword="null"/>.</param>
    public ProgramImageException(string name, string problem, Exception? innerException = null)
        : base($"'{name}' cannot be run: {problem}.", innerException)
    {
        Name = name;
        Problem = problem;
    }

    /// <summary>The name of the image.</summary>
    public string Name { get; }

    /// <summary>What is wrong with it.</summary>
    public string Problem { get; }
}
