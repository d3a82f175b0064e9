using Hyperlight.Host.Elf;
using Hyperlight.Host.Memory;

namespace Hyperlight;

/// <summary>
/// A guest program: an ELF executable that was read, parsed and validated once, and of which any number of sandboxes can be
/// made. Immutable and safe to share between threads.
/// </summary>
public sealed class GuestBinary
{
    private GuestBinary(string source, ElfImage image)
    {
        Source = source;
        Image = image;
    }

    /// <summary>The file's path, or what stands for it.</summary>
    public string Source { get; }

    /// <summary>The guest ABI version the binary says it was built for, or <see langword="null"/> if it does not say.</summary>
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
    /// <exception cref="HostMemoryException">The process has not enough memory.</exception>
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
    /// <param name="name">What stands for the file in error messages.</param>
    /// <param name="cancellationToken">Ends the parsing.</param>
    /// <exception cref="GuestBinaryException">The bytes are not an x86-64 guest.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="HostMemoryException">The process has not enough memory.</exception>
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

    private static GuestBinary Parse(byte[] file, string source, CancellationToken cancellationToken) =>
        new(source, ElfImage.Parse(file, source, new ElfParsing(cancellationToken)));
}
