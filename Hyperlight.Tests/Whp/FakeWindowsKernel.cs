using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Whp;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Tests.Whp;

/// <summary>
/// A Windows with one file, which counts what is open and can fail the n-th call. A release is carried out before it is
/// reported as failed.
/// </summary>
internal sealed unsafe class FakeWindowsKernel(byte[] content, int failAt = 0) : IWindowsKernel
{
    public const int AccessDenied = 5;
    private const int FileNotFound = 2;

    private readonly HashSet<nint> _handles = [];
    private readonly HashSet<nint> _views = [];
    private readonly Dictionary<nint, nuint> _memorySections = [];
    private nint _next = 0x100;
    private int _calls;

    /// <summary>The calls in order.</summary>
    public List<string> Journal { get; } = [];

    public byte[] Content { get; set; } = content;

    public bool IsOnDisk { get; set; } = true;

    public int Calls => _calls;

    public string? FailedCall { get; private set; }

    public int OpenHandles => _handles.Count;

    public int LiveViews => _views.Count;

    public bool CanOpenPrograms { get; init; } = true;

    /// <summary>The program that was opened last.</summary>
    public SafeFileHandle? Program { get; private set; }

    /// <summary>The size of the section that was made last.</summary>
    public long SectionSize { get; private set; }

    public string? UnsupportedPlatform { get; init; }

    public int OpenFile(string path, out nint file)
    {
        file = -1;
        if (Fails("CreateFileW"))
        {
            return AccessDenied;
        }

        if (path != "C:\\file")
        {
            return FileNotFound;
        }

        file = New(_handles);
        return 0;
    }

    /// <summary>Opens a file of this machine, and no link.</summary>
    public int OpenProgram(string path, out SafeFileHandle file)
    {
        bool exists = CanOpenPrograms && File.Exists(path) && new FileInfo(path).LinkTarget is null;
        file = Program = exists ? File.OpenHandle(path) : new SafeFileHandle(-1, ownsHandle: false);
        return exists ? 0 : AccessDenied;
    }

    public bool IsDiskFile(nint file) => IsOnDisk;

    public int GetFileSize(nint file, out long size)
    {
        size = Content.Length;
        return Fails("GetFileSizeEx") ? AccessDenied : 0;
    }

    public int ReadFile(nint file, long offset, Span<byte> buffer, out int read)
    {
        Assert.That(_handles, Does.Contain(file));
        read = 0;
        if (Fails("ReadFile"))
        {
            return AccessDenied;
        }

        // At most 100 bytes, as any read may return fewer than were asked for.
        ReadOnlySpan<byte> rest = Content.AsSpan((int)Math.Min(offset, Content.Length));
        read = Math.Min(Math.Min(rest.Length, buffer.Length), 100);
        rest[..read].CopyTo(buffer);
        return 0;
    }

    public int CreateReadOnlySection(nint file, long size, out nint section)
    {
        section = 0;
        if (Fails("CreateFileMappingW"))
        {
            return AccessDenied;
        }

        SectionSize = size;
        section = New(_handles);
        return 0;
    }

    public int MapReadView(nint section, out nint address)
    {
        address = 0;
        if (Fails("MapViewOfFile"))
        {
            return AccessDenied;
        }

        address = New(_views);
        return 0;
    }

    public int CreateMemorySection(nuint size, out nint section)
    {
        section = 0;
        if (Fails("CreateFileMappingW"))
        {
            return AccessDenied;
        }

        section = New(_handles);
        _memorySections.Add(section, size);
        return 0;
    }

    public int MapWritableView(nint section, out nint address)
    {
        address = 0;
        if (Fails("MapViewOfFile"))
        {
            return AccessDenied;
        }

        // SAFETY: the view owns it, and UnmapView frees it.
        address = (nint)NativeMemory.AlignedAlloc(_memorySections[section], GuestPage.Size);
        NativeMemory.Clear((void*)address, _memorySections[section]);
        _views.Add(address);
        return 0;
    }

    public int Protect(nint address, nuint size, uint protection) => Fails("VirtualProtect") ? AccessDenied : 0;

    // What files do not need.
    public int MapViewInProcess(nint section, nint process, uint protection, out nint address) => throw new NotSupportedException();

    public int ProtectInProcess(nint process, nint address, nuint size, uint protection) => throw new NotSupportedException();

    public int UnmapViewInProcess(nint process, nint address) => throw new NotSupportedException();

    public int CreateJob(out nint job) => throw new NotSupportedException();

    public int CreateSuspendedProcess(string path, out nint process, out uint processId) => throw new NotSupportedException();

    public int AssignProcessToJob(nint job, nint process) => throw new NotSupportedException();

    public int TerminateProcess(nint process) => throw new NotSupportedException();

    public bool HasEnded(nint process) => throw new NotSupportedException();

    public int UnmapView(nint address)
    {
        Assert.That(_views.Remove(address), Is.True, "each view is unmapped once");
        if (address > _next)
        {
            // SAFETY: it is memory of MapWritableView; what New gives is smaller.
            NativeMemory.AlignedFree((void*)address);
        }

        return Fails("UnmapViewOfFile") ? AccessDenied : 0;
    }

    public int CloseHandle(nint handle)
    {
        Assert.That(_handles.Remove(handle), Is.True, "each handle is closed once");
        return Fails("CloseHandle") ? AccessDenied : 0;
    }

    private nint New(HashSet<nint> set)
    {
        _next += 0x10;
        set.Add(_next);
        return _next;
    }

    private bool Fails(string call)
    {
        Journal.Add(call);
        if (++_calls != failAt)
        {
            return false;
        }

        FailedCall = call;
        return true;
    }
}
