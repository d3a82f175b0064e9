using System.Runtime.InteropServices;
using System.Text;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Linux;

/// <summary>The kernel this process runs on.</summary>
internal sealed unsafe class LinuxKernel : ILinuxKernel
{
    /// <summary>The one instance.</summary>
    public static readonly LinuxKernel Instance = new();

    private LinuxKernel()
    {
    }

    public string? UnsupportedPlatform
    {
        get
        {
            if (!OperatingSystem.IsLinux())
            {
                return $"This is {RuntimeInformation.OSDescription}, not Linux.";
            }

            return RuntimeInformation.ProcessArchitecture == Architecture.X64
                ? null
                : $"This process is {RuntimeInformation.ProcessArchitecture}, not x64.";
        }
    }

    public int Open(string path, int flags)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(path.Length) + 1];
        Encoding.UTF8.GetBytes(path, bytes);
        // SAFETY: the array is longer than the text, so the text ends in NUL; the kernel only reads it.
        fixed (byte* pointer = bytes)
        {
            return Result(LibC.open(pointer, flags));
        }
    }

    public int Close(int fd) => Result(LibC.close(fd));

    public int Ioctl(int fd, uint request, nint argument) => Result(LibC.ioctl(fd, request, argument));

    public int Stat(int fd, out FileStatus status)
    {
        Stat stat = default;
        // SAFETY: the structure has the size that fstat fills.
        nint result = LibC.syscall(SystemCalls.SYS_fstat, fd, (nint)(&stat));
        status = new FileStatus(stat.Mode, stat.Size);
        return Result((int)result);
    }

    public nint ReadAt(int fd, Span<byte> buffer, long offset)
    {
        // SAFETY: the span is pinned, and its length is what the kernel may fill.
        fixed (byte* pointer = buffer)
        {
            nint result = LibC.pread(fd, pointer, (nuint)buffer.Length, offset);
            return result >= 0 ? result : -Marshal.GetLastPInvokeError();
        }
    }

    public nint MapMemory(nuint length, int protection, int flags, int fd)
    {
        nint result = LibC.mmap(0, length, protection, flags, fd, 0);
        return result != LibC.MAP_FAILED ? result : -Marshal.GetLastPInvokeError();
    }

    public int ReplaceMemory(nint address, nuint length, int protection)
    {
        nint result = LibC.mmap(
            address, length, protection, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS | LibC.MAP_FIXED, -1, 0);
        return result != LibC.MAP_FAILED ? 0 : -Marshal.GetLastPInvokeError();
    }

    public int UnmapMemory(nint address, nuint length) => Result(LibC.munmap(address, length));

    public int ProtectMemory(nint address, nuint length, int protection) =>
        Result(LibC.mprotect(address, length, protection));

    public int AdviseMemory(nint address, nuint length, int advice) => Result(LibC.madvise(address, length, advice));

    public int GetThreadId() => (int)LibC.syscall(SystemCalls.SYS_gettid);

    public int BlockSignals(ulong signals, out ulong previous)
    {
        ulong old = 0;
        // SAFETY: both sets are of the size that is passed.
        nint result = LibC.syscall(
            SystemCalls.SYS_rt_sigprocmask, Signals.SIG_BLOCK, (nint)(&signals), (nint)(&old), Signals.SetSize);
        previous = old;
        return Result((int)result);
    }

    public int SetBlockedSignals(ulong signals) =>
        // SAFETY: the set is of the size that is passed; the kernel only reads it.
        Result((int)LibC.syscall(
            SystemCalls.SYS_rt_sigprocmask, Signals.SIG_SETMASK, (nint)(&signals), 0, Signals.SetSize));

    public int CatchSignal(int signal)
    {
        SigAction action = default;
        // SAFETY: the structure has the size and the layout of both C libraries.
        int result = LibC.sigaction(signal, null, &action);
        if (result < 0 || action.Handler is not (Signals.SIG_DFL or Signals.SIG_IGN))
        {
            return Result(result);
        }

        // A handler of managed code could run at any instruction. One of the C library that does nothing is its absolute value.
        action = new SigAction { Handler = NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "abs") };
        return Result(LibC.sigaction(signal, &action, null));
    }

    public int SendSignal(int threadId, int signal) =>
        Result((int)LibC.syscall(SystemCalls.SYS_tgkill, Environment.ProcessId, threadId, signal));

    public int TakePendingSignal(ulong signals)
    {
        TimeSpec noTime = default;
        // SAFETY: set and time are of the kernel's types, and the absent signal information is optional.
        return Result((int)LibC.syscall(
            SystemCalls.SYS_rt_sigtimedwait, (nint)(&signals), 0, (nint)(&noTime), Signals.SetSize));
    }

    private static int Result(int result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();
}
