using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// A file for a guest of the emulator. Nothing of it is in memory: a machine reads each page through
/// <see cref="Read"/> when the guest uses it first. It can do so as long as there is a reference to <see cref="Handle"/>.
/// </summary>
internal sealed class FileRegion : IMemoryRegion
{
    private const string ReadOnlyMessage = "The region is a read-only view of a file.";

    private readonly string _path;
    private readonly ulong _length;
    private readonly FileHold _hold;

    private FileRegion(string path, ulong length, SafeFileHandle file)
    {
        _path = path;
        _length = length;
        _hold = new FileHold(file);
        Size = (nuint)GuestPage.RoundUp(length);
    }

    /// <summary>The path under which the file was opened.</summary>
    public string Path => _path;

    public nuint Size { get; }

    public MemoryRegionKind Kind => MemoryRegionKind.File;

    /// <summary>Holds the file open; there is no address, so only the emulator can map the region.</summary>
    public SafeHandle Handle => _hold;

    /// <summary>Opens a file.</summary>
    /// <exception cref="FileMappingException">The file cannot be opened, or is empty.</exception>
    public static FileRegion Open(string path)
    {
        SafeFileHandle? file = null;
        try
        {
            // Opening a pipe would wait for its other end. Pipes and devices have no length.
            var info = new FileInfo(path);
            FileSystemInfo target = info.ResolveLinkTarget(returnFinalTarget: true) ?? info;
            if (target is FileInfo { Exists: true, Length: 0 })
            {
                throw Unsuitable(path);
            }

            // Others may change, rename and delete the file, as they may when a hypervisor maps it.
            file = File.OpenHandle(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
            long length = RandomAccess.GetLength(file);
            return length > 0 ? new FileRegion(path, (ulong)length, file) : throw Unsuitable(path);
        }
        catch (Exception exception)
        {
            file?.Dispose();
            throw exception is IOException or UnauthorizedAccessException or NotSupportedException
                ? Refused(path, "open", exception)
                : exception;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="FileMappingException">The file cannot be read any more, or is shorter than when it was opened.</exception>
    public void Read(nuint offset, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_hold.IsReleased, this);
        if (offset > Size || (nuint)destination.Length > Size - offset)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), $"The range of {destination.Length} bytes at offset {offset} leaves the region of {Size} bytes.");
        }

        while (!destination.IsEmpty && offset < _length)
        {
            int wanted = (int)Math.Min((ulong)destination.Length, _length - offset);
            int read = ReadSome(offset, destination[..wanted]);
            if (read == 0)
            {
                throw new FileMappingException(
                    _path, EmulatorHypervisor.DriverName, "read", 0, $"the file ends at {offset} bytes, but had {_length} when it was mapped");
            }

            offset += (nuint)read;
            destination = destination[read..];
        }

        destination.Clear();
    }

    public void Write(nuint offset, ReadOnlySpan<byte> source) => throw new NotSupportedException(ReadOnlyMessage);

    public void Clear(nuint offset, nuint length) => throw new NotSupportedException(ReadOnlyMessage);

    public Span<byte> GetSpan(nuint offset, int length) => throw new NotSupportedException(ReadOnlyMessage);

    /// <summary>Does nothing: a view of a file is read-only.</summary>
    public void MakeReadOnly()
    {
    }

    public void Dispose() => _hold.Dispose();

    private static FileMappingException Unsuitable(string path) =>
        new(path, EmulatorHypervisor.DriverName, "mapping", 0, "the file is empty");

    private static FileMappingException Refused(string path, string operation, Exception exception) =>
        new(path, EmulatorHypervisor.DriverName, operation, exception.HResult, exception.Message);

    private int ReadSome(nuint offset, Span<byte> destination)
    {
        try
        {
            return RandomAccess.Read(_hold.File, destination, (long)offset);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Refused(_path, "read", exception);
        }
    }

    /// <summary>Closes the file when the last machine that maps it releases it.</summary>
    private sealed class FileHold : SafeHandle
    {
        private volatile bool _isReleased;

        public FileHold(SafeFileHandle file)
            : base(0, ownsHandle: true) => File = file;

        public SafeFileHandle File { get; }

        public bool IsReleased => _isReleased;

        /// <summary>Never invalid: an invalid handle would not be released.</summary>
        public override bool IsInvalid => false;

        protected override bool ReleaseHandle()
        {
            _isReleased = true;
            File.Dispose();
            return true;
        }
    }
}
