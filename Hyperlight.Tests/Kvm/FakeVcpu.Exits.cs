using System.Buffers.Binary;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Kvm;

/// <summary>The exits a script can end a run with. Each fills the run page and returns what KVM_RUN returns.</summary>
internal sealed unsafe partial class FakeVcpu
{
    /// <summary>Where KVM puts the data of port accesses.</summary>
    public const int IoDataOffset = 0x1000;

    public int Exit(uint reason, ulong detail = 0)
    {
        RunPage->ExitReason = reason;
        RunPage->FirstDetail = detail;
        return 0;
    }

    public int ExitHalt() => Exit(KvmRun.KVM_EXIT_HLT);

    public int ExitShutdown() => Exit(KvmRun.KVM_EXIT_SHUTDOWN);

    public int ExitIoOut(ushort port, uint value, byte size = 4)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(RunPageBytes[IoDataOffset..], value);
        return ExitIo(new KvmRunIo
        {
            Direction = KvmRun.KVM_EXIT_IO_OUT,
            Port = port,
            Size = size,
            Count = 1,
            DataOffset = IoDataOffset,
        });
    }

    public int ExitIo(KvmRunIo io)
    {
        RunPage->ExitReason = KvmRun.KVM_EXIT_IO;
        RunPage->Io = io;
        return 0;
    }

    public int ExitMmio(ulong address, uint length, bool isWrite, ulong data = 0)
    {
        RunPage->ExitReason = KvmRun.KVM_EXIT_MMIO;

        // As KVM does: for a read the data are what they were.
        ulong left = isWrite ? data : RunPage->Mmio.Data;
        RunPage->Mmio = new KvmRunMmio { PhysAddr = address, Len = length, IsWrite = isWrite ? (byte)1 : (byte)0, Data = left };
        return 0;
    }

    public int ExitDebug(KvmRunDebug debug)
    {
        RunPage->ExitReason = KvmRun.KVM_EXIT_DEBUG;
        RunPage->Debug = debug;
        return 0;
    }

    public int ExitInternalError(KvmRunInternalError error)
    {
        RunPage->ExitReason = KvmRun.KVM_EXIT_INTERNAL_ERROR;
        RunPage->InternalError = error;
        return 0;
    }

    /// <summary>The exit that comes with EFAULT.</summary>
    public int ExitMemoryFault(ulong address)
    {
        RunPage->ExitReason = KvmRun.KVM_EXIT_MEMORY_FAULT;
        RunPage->MemoryFault = new KvmRunMemoryFault { Gpa = address, Size = 0x1000 };
        return -Errno.EFAULT;
    }

    /// <summary>A guest that computes for ever: returns when a signal ends its run.</summary>
    public int SpinUntilSignal()
    {
        SpinWait wait = default;
        while (!kernel.HasPendingSignal())
        {
            wait.SpinOnce();
        }

        return -Errno.EINTR;
    }
}
