using System.Runtime.InteropServices;

namespace Hyperlight.Linux.Interop;

/// <summary>asm/signal.h: the kernel's own signal sets are 64 bits, whatever the C library's type holds.</summary>
internal static class Signals
{
    public const int SIG_BLOCK = 0;
    public const int SIG_SETMASK = 2;
    public const nint SIG_DFL = 0;
    public const nint SIG_IGN = 1;
    public const int SIGUSR1 = 10;
    public const int SIGUSR2 = 12;
    public const int SIGSTKFLT = 16;
    public const int SIGURG = 23;
    public const int SIGPWR = 30;

    /// <summary>The C libraries use the first two for themselves, musl three, and CoreCLR the one that glibc calls SIGRTMIN.</summary>
    public const int FirstFreeRealTimeSignal = 35;
    public const int SIGRTMAX = 64;

    /// <summary>Bytes of a signal set.</summary>
    public const int SetSize = sizeof(ulong);
}

/// <summary>linux/time_types.h: struct __kernel_timespec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpec
{
    public long Seconds;
    public long Nanoseconds;
}

/// <summary>signal.h: struct sigaction of glibc and of musl on x86-64, the fields that are used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 152)]
internal struct SigAction
{
    [FieldOffset(0)]
    public nint Handler;
}
