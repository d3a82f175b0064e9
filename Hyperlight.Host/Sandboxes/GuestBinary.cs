using System.Reflection;
using Hyperlight.Host.Elf;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Sandboxes;

namespace Hyperlight;

/// <summary>
/// A guest program: an ELF executable that was parsed and validated, and from which any number of sandboxes can be created.
/// Immutable and thread-safe.
/// </summary>
public sealed class GuestBinary
{
    private GuestBinary(string source, ElfImage image)
    {
        Source = source;
        Image = image;
    }

    /// <summary>The file's path, or the name that was given instead.</summary>
    public string Source { get; }

    /// <summary>
    /// The version of the guest ABI that the guest was built for, or <see langword="null"/> if the file does not state
    /// it.
    /// </summary>
    public string? AbiVersion => Image.Version;

    /// <summary>The parsed image.</summary>
    internal ElfImage Image { get; }

    /// <summary>The images of it that sandboxes use.</summary>
    internal SharedImages SharedImages { get; } = new();

    /// <summary>Reads a guest from a file.</summary>
    /// <param name="path">A regular file of at most 1 GiB. Symbolic links to one are followed.</param>
    /// <param name="cancellationToken">Ends reading and parsing.</param>
    /// <exception cref="GuestBinaryException">The file cannot be read, or is not an x86-64 guest.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="HostMemoryException">The process is out of memory.</exception>
    public static GuestBinary FromFile(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            return Parse(GuestFile.Read(path, cancellationToken), path, cancellationToken);
        }
        catch (OutOfMemoryException exception)
        {
            throw new HostMemoryException("Reading a guest", exception);
        }
    }

    /// <summary>Takes a guest from memory.</summary>
    /// <param name="elf">The ELF file's bytes, at most 1 GiB; they are copied.</param>
    /// <param name="name">The name that error messages use instead of a path.</param>
    /// <param name="cancellationToken">Ends the parsing.</param>
    /// <exception cref="GuestBinaryException">The bytes are not an x86-64 guest.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="HostMemoryException">The process is out of memory.</exception>
    public static GuestBinary FromBytes(
        ReadOnlySpan<byte> elf, string name = "<memory>", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        GuestFile.CheckSize(elf.Length, name);
        try
        {
            return Parse(elf.ToArray(), name, cancellationToken);
        }
        catch (OutOfMemoryException exception)
        {
            throw new HostMemoryException("Reading a guest", exception);
        }
    }

    /// <summary>Reads a guest from an embedded resource.</summary>
    /// <param name="assembly">The assembly, such as <c>typeof(Program).Assembly</c>.</param>
    /// <param name="name">The name of the resource, case-sensitive: its <c>LogicalName</c> in the project.</param>
    /// <param name="cancellationToken">Ends the parsing.</param>
    /// <exception cref="GuestBinaryException">There is no such resource; the message lists those there are. Or it is not an x86-64 guest.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="HostMemoryException">The process is out of memory.</exception>
    public static GuestBinary FromResource(Assembly assembly, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        ArgumentException.ThrowIfNullOrEmpty(name);
        try
        {
            return Parse(GuestResource.Read(assembly, name), GuestResource.Describe(assembly, name), cancellationToken);
        }
        catch (OutOfMemoryException exception)
        {
            throw new HostMemoryException("Reading a guest", exception);
        }
    }

    private static GuestBinary Parse(byte[] file, string source, CancellationToken cancellationToken) =>
        new(source, ElfImage.Parse(file, source, new ElfParsing(cancellationToken)));
}
