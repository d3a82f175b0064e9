using System.Runtime.CompilerServices;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>What never changes about a KVM host, read once.</summary>
internal sealed class KvmHostFacts
{
    /// <summary>How many memory slots every KVM has had since it could be asked.</summary>
    private const int FewestMemorySlots = 32;

    private KvmHostFacts(
        int runPageSize, int memorySlots, int syncRegs, bool hasXcrs, bool hasMsrFilter, bool hasTripleFaultEvent, KvmCpuid cpuid, KvmMsrList msrs)
    {
        RunPageSize = runPageSize;
        MemorySlots = memorySlots;
        HasSyncRegs = (syncRegs & KvmCapabilities.KVM_SYNC_X86_REGS) != 0;
        HasSyncSregs = (syncRegs & KvmCapabilities.KVM_SYNC_X86_SREGS) != 0;
        HasSyncEvents = (syncRegs & KvmCapabilities.KVM_SYNC_X86_EVENTS) != 0;
        HasXcrs = hasXcrs;
        HasMsrFilter = hasMsrFilter;
        HasTripleFaultEvent = hasTripleFaultEvent;
        Cpuid = cpuid;
        Msrs = msrs;
    }

    /// <summary>Bytes of a vCPU's run page, which is really several pages.</summary>
    public int RunPageSize { get; }

    /// <summary>How many memory slots a machine has.</summary>
    public int MemorySlots { get; }

    /// <summary>Whether general registers can pass through the run page.</summary>
    public bool HasSyncRegs { get; }

    /// <summary>Whether special registers can pass through the run page.</summary>
    public bool HasSyncSregs { get; }

    /// <summary>Whether pending events can pass through the run page.</summary>
    public bool HasSyncEvents { get; }

    /// <summary>Whether there is an XCR0.</summary>
    public bool HasXcrs { get; }

    /// <summary>Whether guests can be denied model-specific registers.</summary>
    public bool HasMsrFilter { get; }

    /// <summary>Whether a triple fault that KVM has not reported yet is among the events.</summary>
    public bool HasTripleFaultEvent { get; }

    /// <summary>The model-specific registers that KVM gives and takes.</summary>
    public KvmMsrList Msrs { get; }

    /// <summary>The processor features that KVM can give to a guest.</summary>
    public KvmCpuid Cpuid { get; }

    /// <summary>Asks the device.</summary>
    /// <returns>0, or the errno of <paramref name="operation"/>.</returns>
    public static int Read(FileDescriptorHandle device, out KvmHostFacts? facts, out string operation)
    {
        facts = null;
        operation = nameof(KvmIoctls.KVM_GET_VCPU_MMAP_SIZE);
        int runPageSize = device.Ioctl(KvmIoctls.KVM_GET_VCPU_MMAP_SIZE, 0);
        if (runPageSize < 0)
        {
            return -runPageSize;
        }

        if (runPageSize < Unsafe.SizeOf<KvmRun>())
        {
            return Errno.EOVERFLOW;
        }

        operation = nameof(KvmIoctls.KVM_GET_SUPPORTED_CPUID);
        int error = KvmCpuid.Read(device, out KvmCpuid? cpuid);
        if (cpuid is null)
        {
            return error;
        }

        operation = nameof(KvmIoctls.KVM_GET_MSR_INDEX_LIST);
        error = KvmMsrList.Read(device, out KvmMsrList? msrs);
        if (msrs is null)
        {
            return error;
        }

        operation = nameof(KvmIoctls.KVM_CHECK_EXTENSION);
        int slots = device.Ioctl(KvmIoctls.KVM_CHECK_EXTENSION, KvmCapabilities.KVM_CAP_NR_MEMSLOTS);
        int syncRegs = device.Ioctl(KvmIoctls.KVM_CHECK_EXTENSION, KvmCapabilities.KVM_CAP_SYNC_REGS);
        int xcrs = device.Ioctl(KvmIoctls.KVM_CHECK_EXTENSION, KvmCapabilities.KVM_CAP_XCRS);
        int msrFilter = device.Ioctl(KvmIoctls.KVM_CHECK_EXTENSION, KvmCapabilities.KVM_CAP_X86_MSR_FILTER);
        int tripleFault = device.Ioctl(KvmIoctls.KVM_CHECK_EXTENSION, KvmCapabilities.KVM_CAP_X86_TRIPLE_FAULT_EVENT);
        int worst = new[] { slots, msrFilter, syncRegs, xcrs, tripleFault }.Min();
        if (worst < 0)
        {
            return -worst;
        }

        facts = new KvmHostFacts(runPageSize, slots > 0 ? slots : FewestMemorySlots, syncRegs, xcrs > 0, msrFilter > 0, tripleFault > 0, cpuid, msrs);
        return 0;
    }
}
