using Hyperlight.Linux;
using Hyperlight.Tests.Mshv;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// Counts the calls to a kernel that can fail, and fails the n-th. Run a scenario with n = 1, 2, 3, ... until
/// <see cref="FailedCall"/> stays null, and every call of the scenario has failed once. A call that releases something is
/// carried out before it is reported as failed, as Linux does; any other is not carried out.
/// </summary>
/// <param name="inner">The simulated kernel, or the real one.</param>
/// <param name="failAt">Which call fails, from 1; 0 for none.</param>
/// <param name="error">The errno it fails with.</param>
internal sealed class FailingKernel(ILinuxKernel inner, int failAt = 0, int error = Errno.EIO) : ForwardingKernel(inner)
{
    private readonly Lock _lock = new();
    private readonly List<string> _names = [];

    /// <summary>How many calls were made.</summary>
    public int Calls => _names.Count;

    /// <summary>The names of the calls that were made.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>The name of the call that failed; null if none has yet.</summary>
    public string? FailedCall { get; private set; }

    public override int Open(string path, int flags) => Fails("open") ? -error : base.Open(path, flags);

    public override int Close(int fd)
    {
        int result = base.Close(fd);
        return Fails("close") ? -error : result;
    }

    public override int Ioctl(int fd, uint request, nint argument) =>
        Fails((SimulatedRequests.Knows(request) ? SimulatedRequests.Name(request, argument) : KvmIoctlNames.Of(request))) ? -error : base.Ioctl(fd, request, argument);

    public override int Stat(int fd, out FileStatus status)
    {
        status = default;
        return Fails("fstat") ? -error : base.Stat(fd, out status);
    }

    public override nint ReadAt(int fd, Span<byte> buffer, long offset) =>
        Fails("pread") ? -error : base.ReadAt(fd, buffer, offset);

    public override nint MapMemory(nuint length, int protection, int flags, int fd) =>
        Fails("mmap") ? -error : base.MapMemory(length, protection, flags, fd);

    public override int ReplaceMemory(nint address, nuint length, int protection) =>
        Fails("mmap") ? -error : base.ReplaceMemory(address, length, protection);

    public override int UnmapMemory(nint address, nuint length)
    {
        int result = base.UnmapMemory(address, length);
        return Fails("munmap") ? -error : result;
    }

    public override int ProtectMemory(nint address, nuint length, int protection) =>
        Fails("mprotect") ? -error : base.ProtectMemory(address, length, protection);

    public override int AdviseMemory(nint address, nuint length, int advice) =>
        Fails("madvise") ? -error : base.AdviseMemory(address, length, advice);

    public override int BlockSignals(ulong signals, out ulong previous)
    {
        previous = 0;
        return Fails("rt_sigprocmask") ? -error : base.BlockSignals(signals, out previous);
    }

    public override int SetBlockedSignals(ulong signals)
    {
        int result = base.SetBlockedSignals(signals);
        return Fails("rt_sigprocmask") ? -error : result;
    }

    public override int CatchSignal(int signal) => Fails("sigaction") ? -error : base.CatchSignal(signal);

    public override int SendSignal(int threadId, int signal) =>
        Fails("tgkill") ? -error : base.SendSignal(threadId, signal);

    private bool Fails(string name)
    {
        lock (_lock)
        {
            _names.Add(name);
            if (_names.Count != failAt)
            {
                return false;
            }
        }

        FailedCall = name;
        return true;
    }
}
