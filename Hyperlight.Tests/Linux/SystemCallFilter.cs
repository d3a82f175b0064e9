using System.Runtime.InteropServices;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Tests.Linux;

/// <summary>A seccomp filter for the calling thread, which cannot be removed: for threads of tests.</summary>
internal static unsafe partial class SystemCallFilter
{
    private const int PR_SET_SECCOMP = 22;
    private const int PR_SET_NO_NEW_PRIVS = 38;
    private const int SECCOMP_MODE_FILTER = 2;
    private const uint SECCOMP_RET_ERRNO = 0x0005_0000;
    private const uint SECCOMP_RET_ALLOW = 0x7FFF_0000;

    private const ushort LoadWord = 0x20;
    private const ushort JumpIfEqual = 0x15;
    private const ushort Return = 0x06;

    // struct seccomp_data: the system call's number, and the lower half of its third argument.
    private const uint NumberOffset = 0;
    private const uint ThirdArgumentOffset = 32;

    /// <summary>From now on the thread cannot send a signal by tgkill.</summary>
    public static void RefuseSignal(int signal)
    {
        Filter* filters = stackalloc Filter[]
        {
            new() { Code = LoadWord, Value = NumberOffset },
            new() { Code = JumpIfEqual, Value = SystemCalls.SYS_tgkill, IfFalse = 3 },
            new() { Code = LoadWord, Value = ThirdArgumentOffset },
            new() { Code = JumpIfEqual, Value = (uint)signal, IfFalse = 1 },
            new() { Code = Return, Value = SECCOMP_RET_ERRNO | Errno.EPERM },
            new() { Code = Return, Value = SECCOMP_RET_ALLOW },
        };
        Program program = new() { Length = 6, Filters = filters };

        // SAFETY: the program lives until the call returns, and the kernel copies it.
        Assert.That(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), Is.Zero, "PR_SET_NO_NEW_PRIVS");
        Assert.That(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (nint)(&program), 0, 0), Is.Zero, "PR_SET_SECCOMP");
    }

    [LibraryImport("libc")]
    private static partial int prctl(int option, nint a, nint b, nint c, nint d);

    /// <summary>linux/filter.h: struct sock_filter.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Filter
    {
        public ushort Code;
        public byte IfTrue;
        public byte IfFalse;
        public uint Value;
    }

    /// <summary>linux/filter.h: struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Program
    {
        public ushort Length;
        public Filter* Filters;
    }
}
