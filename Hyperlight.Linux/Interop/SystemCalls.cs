namespace Hyperlight.Linux.Interop;

/// <summary>asm/unistd_64.h: numbers of the system calls that are made without a C library function.</summary>
internal static class SystemCalls
{
    public const int SYS_fstat = 5;
    public const int SYS_rt_sigprocmask = 14;
    public const int SYS_rt_sigtimedwait = 128;
    public const int SYS_gettid = 186;
    public const int SYS_tgkill = 234;
}
