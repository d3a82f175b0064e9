using Hyperlight.Whp;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Tests.Whp;

/// <summary>A Windows of which one call fails. What is released is gone nevertheless.</summary>
internal sealed class FailingWindows(IWindowsKernel inner, FailurePlan plan) : IWindowsKernel
{
    private const int Error = FailurePlan.Win32Error;

    public string? UnsupportedPlatform => inner.UnsupportedPlatform;

    public int OpenFile(string path, out nint file)
    {
        file = -1;
        return plan.Fails("CreateFileW") ? Error : inner.OpenFile(path, out file);
    }

    // A program that cannot be opened is written again, which is tested elsewhere.
    public int OpenProgram(string path, out SafeFileHandle file) => inner.OpenProgram(path, out file);

    public bool IsDiskFile(nint file) => inner.IsDiskFile(file);

    public int GetFileSize(nint file, out long size)
    {
        size = 0;
        return plan.Fails("GetFileSizeEx") ? Error : inner.GetFileSize(file, out size);
    }

    public int ReadFile(nint file, long offset, Span<byte> buffer, out int read)
    {
        read = 0;
        return plan.Fails("ReadFile") ? Error : inner.ReadFile(file, offset, buffer, out read);
    }

    public int CreateReadOnlySection(nint file, long size, out nint section)
    {
        section = 0;
        return plan.Fails("CreateFileMappingW") ? Error : inner.CreateReadOnlySection(file, size, out section);
    }

    public int MapReadView(nint section, out nint address)
    {
        address = 0;
        return plan.Fails("MapViewOfFile") ? Error : inner.MapReadView(section, out address);
    }

    public int CreateMemorySection(nuint size, out nint section)
    {
        section = 0;
        return plan.Fails("CreateFileMappingW") ? Error : inner.CreateMemorySection(size, out section);
    }

    public int MapWritableView(nint section, out nint address)
    {
        address = 0;
        return plan.Fails("MapViewOfFile") ? Error : inner.MapWritableView(section, out address);
    }

    public int Protect(nint address, nuint size, uint protection) =>
        plan.Fails("VirtualProtect") ? Error : inner.Protect(address, size, protection);

    public int MapViewInProcess(nint section, nint process, uint protection, out nint address)
    {
        address = 0;
        return plan.Fails("MapViewOfFile3") ? Error : inner.MapViewInProcess(section, process, protection, out address);
    }

    public int ProtectInProcess(nint process, nint address, nuint size, uint protection) =>
        plan.Fails("VirtualProtectEx") ? Error : inner.ProtectInProcess(process, address, size, protection);

    public int UnmapViewInProcess(nint process, nint address)
    {
        int result = inner.UnmapViewInProcess(process, address);
        return plan.Fails("UnmapViewOfFile2") ? Error : result;
    }

    public int CreateJob(out nint job)
    {
        job = 0;
        return plan.Fails("CreateJobObjectW") ? Error : inner.CreateJob(out job);
    }

    public int CreateSuspendedProcess(string path, out nint process, out uint processId)
    {
        process = 0;
        processId = 0;
        return plan.Fails("CreateProcessW") ? Error : inner.CreateSuspendedProcess(path, out process, out processId);
    }

    public int AssignProcessToJob(nint job, nint process) =>
        plan.Fails("AssignProcessToJobObject") ? Error : inner.AssignProcessToJob(job, process);

    public int TerminateProcess(nint process) => inner.TerminateProcess(process);

    public bool HasEnded(nint process) => inner.HasEnded(process);

    public int UnmapView(nint address)
    {
        int result = inner.UnmapView(address);
        return plan.Fails("UnmapViewOfFile") ? Error : result;
    }

    // Processes, jobs and sections: their handles are closed after everything that could report it.
    public int CloseHandle(nint handle) => inner.CloseHandle(handle);
}
