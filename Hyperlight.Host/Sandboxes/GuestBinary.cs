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
    /// <param name="path">The file.</param>
    /// <exception cref="GuestBinaryException">The file cannot be read, or is not an x86-64 guest.</exception>
    public static GuestBinary FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new GuestBinaryException(path, $"it cannot be read: {exception.Message}", exception);
        }

        return new GuestBinary(path, ElfImage.Parse(file, path));
    }

    /// <summary>Takes a guest from memory.</summary>
    /// <param name="elf">The ELF file's bytes; they are copied.</param>
    /// <param name="name">What stands for the file in error messages.</param>
    /// <exception cref="GuestBinaryException">The bytes are not an x86-64 guest.</exception>
    public static GuestBinary FromBytes(ReadOnlySpan<byte> elf, string name = "<memory>")
    {
        ArgumentNullException.ThrowIfNull(name);
        return new GuestBinary(name, ElfImage.Parse(elf.ToArray(), name));
    }
}
