using System.Runtime.InteropServices;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>Processes that host the memory of guests.</summary>
internal sealed unsafe partial class WindowsKernel
{
    public int CreateJob(out nint job)
    {
        job = Kernel32.CreateJobObjectW(null, null);
        if (job == 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        // SAFETY: a local structure of the information's type and size.
        JobObjectExtendedLimits limits = new() { LimitFlags = Kernel32.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE };
        int error = Result(Kernel32.SetInformationJobObject(
            job, Kernel32.JobObjectExtendedLimitInformation, &limits, (uint)sizeof(JobObjectExtendedLimits)));
        if (error != 0)
        {
            _ = Kernel32.CloseHandle(job);
            job = 0;
        }

        return error;
    }

    public int CreateSuspendedProcess(string path, out nint process, out uint processId)
    {
        const uint Flags = Kernel32.CREATE_SUSPENDED | Kernel32.CREATE_NO_WINDOW;
        process = 0;
        processId = 0;
        StartupInfo startup = new() { Cb = (uint)sizeof(StartupInfo) };
        ProcessInformation information;
        int error;

        // SAFETY: a string ends in NUL, and Windows only reads it; locals of the call's types.
        fixed (char* name = path)
        {
            error = Result(Kernel32.CreateProcessW(name, null, null, null, 0, Flags, null, null, &startup, &information));
        }

        if (error != 0)
        {
            return error;
        }

        _ = Kernel32.CloseHandle(information.Thread);
        process = information.Process;
        processId = information.ProcessId;
        return 0;
    }

    public int AssignProcessToJob(nint job, nint process) => Result(Kernel32.AssignProcessToJobObject(job, process));

    public int TerminateProcess(nint process) => Result(Kernel32.TerminateProcess(process, exitCode: 0));

    public bool HasEnded(nint process) => Kernel32.WaitForSingleObject(process, milliseconds: 0) != Kernel32.WAIT_TIMEOUT;
}
