using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Linux;

/// <summary>
/// A private view of a file for a guest. The host reads it through the descriptor instead of the view: touching a view of
/// a file that was shortened would end the process. It can do so as long as there is a reference to the view: a machine that
/// executes guests in this process reads the file page by page even if the region itself is disposed.
/// </summary>
internal sealed class FileMemoryRegion : IMemoryRegion
{
    private const string ReadOnlyMessage = "The region is a read-only view of a file.";

    private readonly string _driver;
    private readonly string _path;
    private readonly ulong _fileLength;
    private readonly FileDescriptorHandle _file;
    private readonly MemoryMapHandle _view;

    private FileMemoryRegion(
        string driver, string path, ulong fileLength, FileDescriptorHandle file, MemoryMapHandle view, nuint size)
    {
        _driver = driver;
        _path = path;
        _fileLength = fileLength;
        _file = file;
        _view = view;
        Size = size;
    }

    public nuint Size { get; }

    public MemoryRegionKind Kind => MemoryRegionKind.File;

    public SafeHandle Handle => _view;

    /// <summary>Opens and maps a whole file.</summary>
    /// <param name="kernel">The kernel to ask.</param>
    /// <param name="driver">The driver's name, for errors.</param>
    /// <param name="path">A regular file that is not empty.</param>
    /// <param name="protection">PROT_READ, and PROT_WRITE for a hypervisor that pins pages for writing.</param>
    /// <exception cref="FileMappingException">The file cannot be opened or mapped, or is unsuitable.</exception>
    public static FileMemoryRegion Open(ILinuxKernel kernel, string driver, string path, int protection)
    {
        // Without O_NONBLOCK, opening a pipe would wait for its other end.
        int fd = kernel.Open(path, LibC.O_RDONLY | LibC.O_CLOEXEC | LibC.O_NONBLOCK);
        Check(fd, "open", driver, path);
        FileDescriptorHandle file = new(kernel, fd);
        try
        {
            Check(file.Stat(out FileStatus status), "fstat", driver, path);
            if ((status.Mode & Stat.S_IFMT) != Stat.S_IFREG)
            {
                throw new FileMappingException(path, driver, "mapping", 0, "it is not a regular file");
            }

            if (status.Size <= 0)
            {
                throw new FileMappingException(path, driver, "mapping", 0, "the file is empty");
            }

            nuint size = (nuint)GuestPage.RoundUp((ulong)status.Size);
            nint address = file.Map(size, protection, LibC.MAP_PRIVATE | LibC.MAP_NORESERVE);
            Check(address, "mmap", driver, path);
            MemoryMapHandle view = new(kernel, address, size, file: file);
            var region = new FileMemoryRegion(driver, path, (ulong)status.Size, file, view, size);
            try
            {
                region.SeparateLastPage(protection);
                return region;
            }
            catch
            {
                view.Dispose();
                throw;
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="FileMappingException">The file cannot be read any more, or is shorter than when it was mapped.</exception>
    public void Read(nuint offset, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_file.IsClosed, this);
        RegionBounds.Check(offset, (nuint)destination.Length, Size);
        while (!destination.IsEmpty && offset < _fileLength)
        {
            int wanted = (int)Math.Min((ulong)destination.Length, _fileLength - offset);
            nint read = _file.ReadAt(destination[..wanted], (long)offset);
            if (read == -Errno.EINTR)
            {
                continue;
            }

            Check(read, "pread", _driver, _path);
            if (read == 0)
            {
                throw new FileMappingException(
                    _path, _driver, "pread", 0, $"the file ends at {offset} bytes, but had {_fileLength} when it was mapped");
            }

            offset += (nuint)read;
            destination = destination[(int)read..];
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

    public void Dispose()
    {
        ReleaseFailures failures = default;
        failures.Dispose(_view);
        failures.Note(_file);
        failures.ThrowIfAny(_driver);
    }

    /// <summary>
    /// If the file ends within a page, the guest gets a copy of that page: of the file's own page it would see what is
    /// appended to the file later.
    /// </summary>
    private unsafe void SeparateLastPage(int protection)
    {
        int length = (int)(_fileLength % GuestPage.Size);
        if (length == 0)
        {
            return;
        }

        nuint offset = Size - GuestPage.Size;
        nint page = _view.DangerousGetHandle() + (nint)offset;
        Check(_file.Replace(page, GuestPage.Size, LibC.PROT_READ | LibC.PROT_WRITE), "mmap", _driver, _path);

        // SAFETY: the page was just mapped, writable, and is not the file's, so that touching it does not fail.
        Read(offset, new Span<byte>((void*)page, length));
        Check(_file.Protect(page, GuestPage.Size, protection), "mprotect", _driver, _path);
    }

    private static void Check(nint result, string operation, string driver, string path)
    {
        if (result is < 0 and >= -4095)
        {
            int error = (int)-result;
            throw new FileMappingException(path, driver, operation, error, Errno.Describe(error));
        }
    }
}
