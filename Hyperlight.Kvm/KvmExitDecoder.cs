using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Kvm;

/// <summary>Turns what the run page says after KVM_RUN into an exit. Never throws for one it does not know.</summary>
internal static unsafe class KvmExitDecoder
{
    /// <summary>An MMIO exit carries at most this many bytes.</summary>
    private const uint LargestMmio = sizeof(ulong);

    public static VmExit Decode(KvmVcpu vcpu)
    {
        KvmRun* run = vcpu.RunPage;
        return run->ExitReason switch
        {
            KvmRun.KVM_EXIT_IO => DecodeIo(run, vcpu.RunPageSize),
            KvmRun.KVM_EXIT_HLT => VmExit.Halt,
            KvmRun.KVM_EXIT_MMIO => DecodeMmio(run),
            KvmRun.KVM_EXIT_SHUTDOWN => VmExit.Shutdown,
            KvmRun.KVM_EXIT_IRQ_WINDOW_OPEN => VmExit.InterruptWindow,
            KvmRun.KVM_EXIT_DEBUG => VmExit.Debug(run->Debug.Pc, (byte)run->Debug.Exception, run->Debug.Dr6),
            KvmRun.KVM_EXIT_MEMORY_FAULT => DecodeMemoryFault(vcpu),
            KvmRun.KVM_EXIT_INTERNAL_ERROR when run->InternalError.Suberror == KvmRun.KVM_INTERNAL_ERROR_EMULATION =>
                DecodeEmulationFailure(vcpu, run),
            KvmRun.KVM_EXIT_INTERNAL_ERROR => VmExit.Unknown(run->ExitReason, run->InternalError.Suberror),
            _ => VmExit.Unknown(run->ExitReason, run->FirstDetail),
        };
    }

    /// <summary>KVM_RUN failed with EFAULT or EHWPOISON: host memory behind the guest's is not there, or not as needed.</summary>
    public static VmExit DecodeMemoryFault(KvmVcpu vcpu)
    {
        KvmRun* run = vcpu.RunPage;
        ulong address = run->ExitReason == KvmRun.KVM_EXIT_MEMORY_FAULT ? run->MemoryFault.Gpa : 0;
        return VmExit.AccessViolation(address, MemoryFlags.None);
    }

    private static VmExit DecodeIo(KvmRun* run, int runPageSize)
    {
        KvmRunIo io = run->Io;
        if (io.Size is not (1 or 2 or 4))
        {
            return VmExit.Unknown(run->ExitReason, io.Size);
        }

        if (io.Direction != KvmRun.KVM_EXIT_IO_OUT)
        {
            return VmExit.IoIn(io.Port, io.Size);
        }

        // KVM reports each element of a string instruction as an exit of its own. Were there several, the rest would be lost.
        if (io.Count != 1 || io.DataOffset > (ulong)(runPageSize - io.Size))
        {
            return VmExit.Unknown(run->ExitReason, io.Count);
        }

        // SAFETY: the data lies in the mapping, which was just checked.
        byte* data = (byte*)run + io.DataOffset;
        uint value = data[0];
        for (int i = 1; i < io.Size; i++)
        {
            value |= (uint)data[i] << (8 * i);
        }

        return VmExit.IoOut(io.Port, value, io.Size);
    }

    private static VmExit DecodeMmio(KvmRun* run)
    {
        KvmRunMmio mmio = run->Mmio;
        byte size = (byte)Math.Min(mmio.Len, LargestMmio);
        if (mmio.IsWrite == 0)
        {
            return VmExit.MmioRead(mmio.PhysAddr, size);
        }

        ulong mask = size == LargestMmio ? ulong.MaxValue : (1UL << (8 * size)) - 1;
        return VmExit.MmioWrite(mmio.PhysAddr, mmio.Data & mask, size);
    }

    private static VmExit DecodeEmulationFailure(KvmVcpu vcpu, KvmRun* run)
    {
        KvmRunInternalError error = run->InternalError;

        // Flags, length and bytes are three words, which older kernels do not fill.
        bool hasBytes = error.NData >= 3
            && (error.Flags & KvmRun.KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) != 0;
        ReadOnlySpan<byte> bytes = error.InsnBytes;
        bytes = hasBytes ? bytes[..Math.Min((int)error.InsnSize, bytes.Length)] : [];
        return VmExit.EmulationFailure(vcpu.GetGeneralRegisters().Rip, bytes, error.Suberror);
    }
}
