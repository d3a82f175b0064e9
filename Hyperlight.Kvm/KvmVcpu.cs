using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Kvm;

/// <summary>A vCPU and its run page.</summary>
internal sealed unsafe partial class KvmVcpu
{
    private readonly FileDescriptorHandle _handle;
    private readonly MemoryMapHandle _runPage;
    private readonly bool _syncRegs;
    private readonly bool _syncSregs;
    private readonly bool _syncEvents;
    private readonly bool _hasXcrs;

    private KvmVcpu(FileDescriptorHandle handle, MemoryMapHandle runPage, KvmHostFacts facts, MsrPolicy policy, int xsaveSize)
    {
        _handle = handle;
        _runPage = runPage;
        _syncRegs = facts.HasSyncRegs;
        _syncSregs = facts.HasSyncSregs;
        _syncEvents = facts.HasSyncEvents;
        _hasXcrs = facts.HasXcrs;
        _facts = facts;
        _policy = policy;
        RunPageSize = facts.RunPageSize;
        XsaveSize = xsaveSize;
        if (_syncRegs)
        {
            RunPage->ValidRegs = KvmCapabilities.KVM_SYNC_X86_REGS;
        }
    }

    /// <summary>The page; gone once the vCPU is disposed.</summary>
    // SAFETY: the mapping is at least as large as the structure, which was checked when the host's facts were read.
    public KvmRun* RunPage => (KvmRun*)_runPage.DangerousGetHandle();

    /// <summary>Bytes of the page, and of those that follow it.</summary>
    public int RunPageSize { get; }

    /// <summary>Makes a fresh vCPU usable: its processor features and its run page.</summary>
    /// <exception cref="GuestMsrException">KVM does not have a register that the policy adds; the descriptor is the caller's to close.</exception>
    /// <exception cref="HypervisorException">KVM refused; the descriptor is the caller's to close.</exception>
    public static KvmVcpu Create(KvmSystem system, FileDescriptorHandle handle, in VirtualMachineOptions options, int xsaveSize)
    {
        // SAFETY: the structure is complete; the kernel only reads it.
        fixed (byte* cpuid = system.Facts.Cpuid.WithPhysicalAddressBits(
            options.PhysicalAddressBits, showsTscAdjust: !system.Facts.HasMsrFilter))
        {
            KvmError.Check(handle.Ioctl(KvmIoctls.KVM_SET_CPUID2, cpuid), nameof(KvmIoctls.KVM_SET_CPUID2));
        }

        int size = system.Facts.RunPageSize;
        nint address = handle.Map((nuint)size, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED);
        if (address is < 0 and >= -4095)
        {
            throw KvmError.Create((int)address, "mmap of the run page");
        }

        MemoryMapHandle runPage = new(system.Kernel, address, (nuint)size, parent: handle);
        KvmVcpu vcpu = new(handle, runPage, system.Facts, options.Msrs, Math.Max(xsaveSize, SmallestXsave));
        try
        {
            vcpu.CheckAdditionalMsrs();
            return vcpu;
        }
        catch
        {
            runPage.Dispose();
            throw;
        }
    }

    /// <summary>Unmaps the run page and closes the vCPU.</summary>
    public void Dispose(ref ReleaseFailures failures)
    {
        failures.Dispose(_runPage);
        failures.Dispose(_handle);
    }
}
