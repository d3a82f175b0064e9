using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Whp;

/// <summary>
/// A section of a file with a read-only view for a guest. The host reads the file through its handle instead of the view: a
/// view of a file that cannot be read any more, say on a share that is gone, raises an exception that ends the process.
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
        IWindowsKernel kernel, string path, long length, FileHandle file, SectionHandle section, ViewHandle view)
    {
        _kernel = kernel;
        _path = path;
        _length = length;
        _file = file;
        Section = section;
        _view = view;
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
            return new FileSectionRegion(kernel, path, length, file, section, new ViewHandle(kernel, address, section));
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

        while (!destination.IsEmpty && offset < (nuint)_length)
        {
            int wanted = (int)Math.Min((ulong)destination.Length, (ulong)_length - offset);
            Check(
                _kernel.ReadFile(_file.DangerousGetHandle(), (long)offset, destination[..wanted], out int read), "ReadFile", _path);
            if (read == 0)
            {
                throw new FileMappingException(
                    _path, DriverName, "ReadFile", 0, $"the file ends at {offset} bytes, but had {_length} when it was mapped");
            }

            offset += (nuint)read;
            destination = destination[read..];
        }

        destination.Clear();
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
        bool wasClosed = _view.IsClosed;
        _view.Dispose();
        if (!wasClosed && _view.ReleaseFailure is { } failure)
        {
            throw new HypervisorException(
                DriverName, failure.Call, failure.Error, Marshal.GetPInvokeErrorMessage(failure.Error));
        }
    }

    private static void Check(int error, string call, string path)
    {
        if (error != 0)
        {
            throw new FileMappingException(path, DriverName, call, error, Marshal.GetPInvokeErrorMessage(error));
        }
    }
}
