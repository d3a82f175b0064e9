using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Whp;

/// <summary>
/// A section of a file with a read-only view for a guest. The host reads the file through its handle instead of the view: a
/// view of a file that cannot be read any more, say on a share that is gone, raises an exception that ends the process. If the
/// file ends within a page, the guest gets a copy of that page: in the file's own page it would see what is appended to the
/// file later.
/// </summary>
internal sealed class FileSectionRegion : ISectionRegion
{
    private const string DriverName = "whp";
    private const string ReadOnlyMessage = "The region is a read-only view of a file.";

    private readonly IWindowsKernel _kernel;
    private readonly string _path;
    private readonly long _length;
    private readonly FileHandle _file;
    private readonly ViewHandle _view;

    private FileSectionRegion(
        IWindowsKernel kernel,
        string path,
        long length,
        FileHandle file,
        SectionHandle section,
        ViewHandle view,
        SectionMemoryRegion? lastPage)
    {
        _kernel = kernel;
        _path = path;
        _length = length;
        _file = file;
        Section = section;
        _view = view;
        LastPage = lastPage;
        Size = (nuint)GuestPage.RoundUp((ulong)length);
        SectionViews.Add(view.DangerousGetHandle(), this);
    }

    public nuint Size { get; }

    public MemoryRegionKind Kind => MemoryRegionKind.File;

    public SafeHandle Handle => _view;

    public SectionHandle Section { get; }

    /// <summary>None: a section of a file has exactly the file's size.</summary>
    public int Guard => 0;

    public bool IsReadOnly => true;

    /// <summary>What a guest sees instead of the section's last page; <see langword="null"/> if the file ends with a page.</summary>
    public SectionMemoryRegion? LastPage { get; }

    /// <summary>Opens a file and maps a section of it, of exactly its size.</summary>
    /// <exception cref="FileMappingException">The file cannot be opened or mapped, or is unsuitable.</exception>
    public static FileSectionRegion Open(IWindowsKernel kernel, string path)
    {
        Check(kernel.OpenFile(path, out nint opened), "CreateFileW", path);
        WindowsHandle last = new FileHandle(kernel, opened);
        try
        {
            var file = (FileHandle)last;
            if (!kernel.IsDiskFile(opened))
            {
                throw new FileMappingException(path, DriverName, "mapping", 0, "it is not a file on a disk");
            }

            Check(kernel.GetFileSize(opened, out long length), "GetFileSizeEx", path);
            if (length <= 0)
            {
                throw new FileMappingException(path, DriverName, "mapping", 0, "the file is empty");
            }

            Check(kernel.CreateReadOnlySection(opened, length, out nint created), "CreateFileMappingW", path);
            var section = new SectionHandle(kernel, created, file);
            last = section;
            Check(kernel.MapReadView(created, out nint address), "MapViewOfFile", path);
            ViewHandle view = new(kernel, address, section);
            last = view;
            return new FileSectionRegion(
                kernel, path, length, file, section, view, CopyLastPage(kernel, path, length, file));
        }
        catch
        {
            last.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="FileMappingException">The file cannot be read any more, or is shorter than when it was mapped.</exception>
    public void Read(nuint offset, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_file.IsReleased, this);
        if (offset > Size || (nuint)destination.Length > Size - offset)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), $"The range of {destination.Length} bytes at offset {offset} leaves the region of {Size} bytes.");
        }

        Read(_kernel, _path, _length, _file, offset, destination);
        GC.KeepAlive(this);
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
        if (_view.IsClosed)
        {
            return;
        }

        ReleaseFailures failures = default;
        failures.Dispose(_view);
        if (LastPage is not null)
        {
            failures.Dispose(LastPage.Handle);
        }

        failures.ThrowIfAny();
    }

    private static SectionMemoryRegion? CopyLastPage(IWindowsKernel kernel, string path, long length, FileHandle file)
    {
        int used = (int)(length % GuestPage.Size);
        if (used == 0)
        {
            return null;
        }

        SectionMemoryRegion? page = null;
        try
        {
            page = SectionMemoryRegion.Allocate(kernel, GuestPage.Size);
            Read(kernel, path, length, file, (nuint)(length - used), page.GetSpan(0, used));
            page.MakeReadOnly();
            return page;
        }
        catch (HypervisorException exception)
        {
            page?.Handle.Dispose();
            throw exception as FileMappingException
                ?? new FileMappingException(
                    path, DriverName, exception.Operation, exception.ErrorCode, Marshal.GetPInvokeErrorMessage(exception.ErrorCode));
        }
    }

    /// <summary>Reads the file; behind its end are zeros.</summary>
    private static void Read(
        IWindowsKernel kernel, string path, long length, FileHandle file, nuint offset, Span<byte> destination)
    {
        while (!destination.IsEmpty && offset < (nuint)length)
        {
            int wanted = (int)Math.Min((ulong)destination.Length, (ulong)length - offset);
            Check(
                kernel.ReadFile(file.DangerousGetHandle(), (long)offset, destination[..wanted], out int read), "ReadFile", path);
            if (read == 0)
            {
                throw new FileMappingException(
                    path, DriverName, "ReadFile", 0, $"the file ends at {offset} bytes, but had {length} when it was mapped");
            }

            offset += (nuint)read;
            destination = destination[read..];
        }

        destination.Clear();
    }

    private static void Check(int error, string call, string path)
    {
        if (error != 0)
        {
            throw new FileMappingException(path, DriverName, call, error, Marshal.GetPInvokeErrorMessage(error));
        }
    }
}
