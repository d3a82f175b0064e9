using Hyperlight.Linux;

namespace Hyperlight.Tests.Kvm;

/// <summary>Passes every call on to another kernel; a test's kernel overrides what it wants to see or change.</summary>
internal abstract class ForwardingKernel(ILinuxKernel inner) : ILinuxKernel
{
    public virtual string? UnsupportedPlatform => inner.UnsupportedPlatform;

    public virtual int Open(string path, int flags) => inner.Open(path, flags);

    public virtual int Close(int fd) => inner.Close(fd);

    public virtual int Ioctl(int fd, uint request, nint argument) => inner.Ioctl(fd, request, argument);

    public virtual int Stat(int fd, out FileStatus status) => inner.Stat(fd, out status);

    public virtual nint ReadAt(int fd, Span<byte> buffer, long offset) => inner.ReadAt(fd, buffer, offset);

    public virtual nint MapMemory(nuint length, int protection, int flags, int fd) =>
        inner.MapMemory(length, protection, flags, fd);

    public virtual int ReplaceMemory(nint address, nuint length, int protection) =>
        inner.ReplaceMemory(address, length, protection);

    public virtual int UnmapMemory(nint address, nuint length) => inner.UnmapMemory(address, length);

    public virtual int ProtectMemory(nint address, nuint length, int protection) =>
        inner.ProtectMemory(address, length, protection);

    public virtual int AdviseMemory(nint address, nuint length, int advice) => inner.AdviseMemory(address, length, advice);

    public virtual int GetThreadId() => inner.GetThreadId();

    public virtual int BlockSignals(ulong signals, out ulong previous) => inner.BlockSignals(signals, out previous);

    public virtual int SetBlockedSignals(ulong signals) => inner.SetBlockedSignals(signals);

    public virtual int CatchSignal(int signal) => inner.CatchSignal(signal);

    public virtual int SendSignal(int threadId, int signal) => inner.SendSignal(threadId, signal);

    public virtual int TakePendingSignal(ulong signals) => inner.TakePendingSignal(signals);
}
