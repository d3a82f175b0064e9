using System.Diagnostics;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Benchmarks.Kernel;

/// <summary>Stands between a Linux driver and the kernel, and tells a meter what each call took.</summary>
internal sealed class MeteredKernel(ILinuxKernel kernel, KernelMeter meter) : ILinuxKernel
{
    public string? UnsupportedPlatform => kernel.UnsupportedPlatform;

    public int Ioctl(int fd, uint request, nint argument)
    {
        long start = Stopwatch.GetTimestamp();
        int result = kernel.Ioctl(fd, request, argument);
        long ticks = Stopwatch.GetTimestamp() - start;
        if (request is KvmIoctls.KVM_RUN or MshvIoctls.MSHV_RUN_VP)
        {
            meter.AddRun(ticks);
        }
        else
        {
            meter.AddIoctl(ticks);
        }

        return result;
    }

    public int Open(string path, int flags)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.Open(path, flags), start);
    }

    public int Close(int fd)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.Close(fd), start);
    }

    public int Stat(int fd, out FileStatus status)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.Stat(fd, out status), start);
    }

    public nint ReadAt(int fd, Span<byte> buffer, long offset)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.ReadAt(fd, buffer, offset), start);
    }

    public nint MapMemory(nuint length, int protection, int flags, int fd)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.MapMemory(length, protection, flags, fd), start);
    }

    public int ReplaceMemory(nint address, nuint length, int protection)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.ReplaceMemory(address, length, protection), start);
    }

    public int UnmapMemory(nint address, nuint length)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.UnmapMemory(address, length), start);
    }

    public int ProtectMemory(nint address, nuint length, int protection)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.ProtectMemory(address, length, protection), start);
    }

    public int AdviseMemory(nint address, nuint length, int advice)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.AdviseMemory(address, length, advice), start);
    }

    public int GetThreadId()
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.GetThreadId(), start);
    }

    public int BlockSignals(ulong signals, out ulong previous)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.BlockSignals(signals, out previous), start);
    }

    public int SetBlockedSignals(ulong signals)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.SetBlockedSignals(signals), start);
    }

    public int CatchSignal(int signal)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.CatchSignal(signal), start);
    }

    public int SendSignal(int threadId, int signal)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.SendSignal(threadId, signal), start);
    }

    public int TakePendingSignal(ulong signals)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(kernel.TakePendingSignal(signals), start);
    }

    private T Metered<T>(T result, long start)
    {
        meter.AddOther(Stopwatch.GetTimestamp() - start);
        return result;
    }
}
