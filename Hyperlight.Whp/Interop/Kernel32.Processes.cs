using System.Runtime.InteropServices;

namespace Hyperlight.Whp.Interop;

/// <summary>processthreadsapi.h, jobapi2.h and synchapi.h: the processes that host the memory of guests.</summary>
internal static unsafe partial class Kernel32
{
    public const uint CREATE_SUSPENDED = 0x4;
    public const uint CREATE_NO_WINDOW = 0x0800_0000;
    public const uint JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE = 0x2000;
    public const int JobObjectExtendedLimitInformation = 9;
    public const uint WAIT_TIMEOUT = 258;

    [LibraryImport(Library, SetLastError = true)]
    public static partial int CreateProcessW(
        char* applicationName,
        char* commandLine,
        SecurityAttributes* processAttributes,
        SecurityAttributes* threadAttributes,
        int inheritHandles,
        uint creationFlags,
        void* environment,
        char* currentDirectory,
        StartupInfo* startupInfo,
        ProcessInformation* processInformation);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int TerminateProcess(nint process, uint exitCode);

    [LibraryImport(Library, SetLastError = true)]
    public static partial uint WaitForSingleObject(nint handle, uint milliseconds);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint CreateJobObjectW(SecurityAttributes* attributes, char* name);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int SetInformationJobObject(nint job, int informationClass, void* information, uint length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int AssignProcessToJobObject(nint job, nint process);
}

/// <summary>STARTUPINFOW of processthreadsapi.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct StartupInfo
{
    public uint Cb;
    public char* Reserved;
    public char* Desktop;
    public char* Title;
    public uint X;
    public uint Y;
    public uint XSize;
    public uint YSize;
    public uint XCountChars;
    public uint YCountChars;
    public uint FillAttribute;
    public uint Flags;
    public ushort ShowWindow;
    public ushort CbReserved2;
    public byte* LpReserved2;
    public nint StdInput;
    public nint StdOutput;
    public nint StdError;
}

/// <summary>PROCESS_INFORMATION of processthreadsapi.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ProcessInformation
{
    public nint Process;
    public nint Thread;
    public uint ProcessId;
    public uint ThreadId;
}

/// <summary>JOBOBJECT_EXTENDED_LIMIT_INFORMATION of winnt.h. Only the flags of its first part are used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 144)]
internal struct JobObjectExtendedLimits
{
    /// <summary>LimitFlags of JOBOBJECT_BASIC_LIMIT_INFORMATION.</summary>
    [FieldOffset(16)]
    public uint LimitFlags;
}
