namespace Hyperlight.Linux;

/// <summary>
/// Every call that the Linux drivers make to the kernel, and nothing else, so that a simulated kernel can stand behind
/// them. No call throws: each returns its result, or a negative errno.
/// </summary>
internal interface ILinuxKernel
{
    /// <summary>Why this kernel cannot be called at all, or <see langword="null"/> on Linux on x86-64.</summary>
    string? UnsupportedPlatform { get; }

    /// <summary>open: a file descriptor.</summary>
    int Open(string path, int flags);

    /// <summary>close. The descriptor is gone whatever the answer is.</summary>
    int Close(int fd);

    /// <summary>ioctl with an argument that is a value or the address of a structure, as the request says.</summary>
    int Ioctl(int fd, uint request, nint argument);

    /// <summary>fstat.</summary>
    int Stat(int fd, out FileStatus status);

    /// <summary>pread: how many bytes were read, 0 at the end of the file.</summary>
    nint ReadAt(int fd, Span<byte> buffer, long offset);

    /// <summary>mmap at an address of the kernel's choice, which is the result.</summary>
    nint MapMemory(nuint length, int protection, int flags, int fd);

    /// <summary>mmap of private memory, filled with zeros, in the place of what is mapped there.</summary>
    int ReplaceMemory(nint address, nuint length, int protection);

    /// <summary>munmap.</summary>
    int UnmapMemory(nint address, nuint length);

    /// <summary>mprotect.</summary>
    int ProtectMemory(nint address, nuint length, int protection);

    /// <summary>madvise.</summary>
    int AdviseMemory(nint address, nuint length, int advice);

    /// <summary>gettid: the calling thread.</summary>
    int GetThreadId();

    /// <summary>rt_sigprocmask(SIG_BLOCK): adds signals to those the calling thread blocks.</summary>
    /// <param name="signals">Bit n-1 stands for signal n.</param>
    /// <param name="previous">What the thread blocked before.</param>
    int BlockSignals(ulong signals, out ulong previous);

    /// <summary>rt_sigprocmask(SIG_SETMASK): the calling thread blocks these signals and no others.</summary>
    int SetBlockedSignals(ulong signals);

    /// <summary>
    /// sigaction: a signal interrupts system calls, and does nothing else. A handler that the process has already stays: it
    /// interrupts them too.
    /// </summary>
    int CatchSignal(int signal);

    /// <summary>tgkill: sends a signal to one thread of this process.</summary>
    int SendSignal(int threadId, int signal);

    /// <summary>rt_sigtimedwait without waiting: takes a pending signal, or returns -EAGAIN when none is.</summary>
    int TakePendingSignal(ulong signals);
}

/// <summary>What fstat says about a file.</summary>
/// <param name="Mode">Type and permissions.</param>
/// <param name="Size">Length in bytes.</param>
internal readonly record struct FileStatus(uint Mode, long Size);
