namespace Hyperlight;

/// <summary>A file could not be prepared for mapping into a guest.</summary>
public sealed class FileMappingException : HypervisorException
{
    /// <summary>Creates the error.</summary>
    /// <param name="path">The file.</param>
    /// <param name="driver">The driver's name.</param>
    /// <param name="operation">The native call that failed.</param>
    /// <param name="errorCode">The operating system's error code; 0 if the file itself is unsuitable.</param>
    /// <param name="errorText">A description of the problem.</param>
    /// <param name="remedy">What the user can do, or <see langword="null"/>.</param>
    public FileMappingException(
        string path, string driver, string operation, int errorCode, string errorText, string? remedy = null)
        : base(driver, $"{operation} of '{path}'", errorCode, errorText, remedy) => Path = path;

    /// <summary>The file.</summary>
    public string Path { get; }
}
