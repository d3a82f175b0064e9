using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Whp;

/// <summary>
/// Every call about files, sections, views and processes that the driver makes to Windows, and nothing else, so that tests can
/// stand behind it and make calls fail. No call throws: each says whether it succeeded, or returns a Win32 error code, 0 for success.
/// </summary>
internal interface IWindowsKernel
{
    /// <summary>Why Windows cannot be called at all, or <see langword="null"/> on Windows on x64.</summary>
    string? UnsupportedPlatform { get; }

    /// <summary>CreateFileW of an existing file, for reading; others may change, rename and delete it.</summary>
    int OpenFile(string path, out nint file);

    /// <summary>
    /// CreateFileW of an executable file that processes are started from: until it is closed, others may read and execute it, and
    /// not change, rename or delete it. A link is refused.
    /// </summary>
    int OpenProgram(string path, out SafeFileHandle file);

    /// <summary>GetFileType: whether the handle is one of a file on a disk, and not of a pipe or a device.</summary>
    bool IsDiskFile(nint file);

    /// <summary>GetFileSizeEx.</summary>
    int GetFileSize(nint file, out long size);

    /// <summary>ReadFile at an offset: how many bytes were read, 0 at the end of the file.</summary>
    int ReadFile(nint file, long offset, Span<byte> buffer, out int read);

    /// <summary>
    /// CreateFileMappingW: a read-only section of exactly a size. Its security descriptor has an empty (NULL) access list,
    /// which lets every process that is given the handle map it: the surrogate that hosts the guest's memory must.
    /// </summary>
    int CreateReadOnlySection(nint file, long size, out nint section);

    /// <summary>MapViewOfFile of a whole section, for reading.</summary>
    int MapReadView(nint section, out nint address);

    /// <summary>CreateFileMappingW without a file: a section of zero-filled memory.</summary>
    int CreateMemorySection(nuint size, out nint section);

    /// <summary>MapViewOfFile of a whole section, for reading and writing.</summary>
    int MapWritableView(nint section, out nint address);

    /// <summary>VirtualProtect: no access, or reading alone (PAGE_NOACCESS, PAGE_READONLY).</summary>
    int Protect(nint address, nuint size, uint protection);

    /// <summary>MapViewOfFile3 of a whole section in another process.</summary>
    int MapViewInProcess(nint section, nint process, uint protection, out nint address);

    /// <summary>VirtualProtectEx.</summary>
    int ProtectInProcess(nint process, nint address, nuint size, uint protection);

    /// <summary>UnmapViewOfFile2.</summary>
    int UnmapViewInProcess(nint process, nint address);

    /// <summary>CreateJobObjectW, with JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE: its processes end with the last handle to it.</summary>
    int CreateJob(out nint job);

    /// <summary>
    /// CreateProcessW of a program that never runs: CREATE_SUSPENDED and CREATE_NO_WINDOW. The handle of its thread is closed.
    /// </summary>
    int CreateSuspendedProcess(string path, out nint process, out uint processId);

    /// <summary>AssignProcessToJobObject.</summary>
    int AssignProcessToJob(nint job, nint process);

    /// <summary>TerminateProcess.</summary>
    int TerminateProcess(nint process);

    /// <summary>WaitForSingleObject without waiting: whether a process has ended.</summary>
    bool HasEnded(nint process);

    /// <summary>UnmapViewOfFile.</summary>
    int UnmapView(nint address);

    /// <summary>CloseHandle.</summary>
    int CloseHandle(nint handle);
}
