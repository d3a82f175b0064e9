using System.Runtime.InteropServices;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Kvm;

/// <summary>The requests of KVM that the driver makes.</summary>
internal sealed unsafe partial class FakeKvmKernel
{
    public int ApiVersion { get; set; } = KvmCapabilities.KVM_API_VERSION;

    public int RunPageSize { get; set; } = 3 * Page;

    /// <summary>The answers of KVM_CHECK_EXTENSION; 0 for what is not listed.</summary>
    public Dictionary<int, int> Capabilities { get; } = new()
    {
        [KvmCapabilities.KVM_CAP_USER_MEMORY] = 1,
        [KvmCapabilities.KVM_CAP_EXT_CPUID] = 1,
        [KvmCapabilities.KVM_CAP_NR_MEMSLOTS] = 64,
        [KvmCapabilities.KVM_CAP_DEBUGREGS] = 1,
        [KvmCapabilities.KVM_CAP_XSAVE] = 1,
        [KvmCapabilities.KVM_CAP_VCPU_EVENTS] = 1,
        [KvmCapabilities.KVM_CAP_XCRS] = 1,
        [KvmCapabilities.KVM_CAP_SYNC_REGS] = 7,
        [KvmCapabilities.KVM_CAP_READONLY_MEM] = 1,
        [KvmCapabilities.KVM_CAP_IMMEDIATE_EXIT] = 1,
        [KvmCapabilities.KVM_CAP_X86_MSR_FILTER] = 1,
        [KvmCapabilities.KVM_CAP_XSAVE2] = 4096,
        [KvmCapabilities.KVM_CAP_X86_TRIPLE_FAULT_EVENT] = 1,
    };

    /// <summary>The leaves of KVM_GET_SUPPORTED_CPUID.</summary>
    public List<KvmCpuidEntry2> SupportedCpuid { get; } =
    [
        new() { Function = 0, Eax = 0xD },
        new() { Function = 0x8000_0008, Eax = 0x0030_302E, Ebx = 0x1234 },
    ];

    /// <summary>Model-specific registers of every vCPU besides its own, and their values at the start.</summary>
    public Dictionary<uint, ulong> FurtherMsrs { get; } = [];

    /// <summary>The answer of KVM_GET_MSR_INDEX_LIST. Not every listed register need be one that a vCPU has.</summary>
    public List<uint> MsrIndices { get; } = [0x10, 0x174, 0x4000_0020, 0xC000_0081, 0xC000_0100, 0xC000_0102];

    public int Ioctl(int fd, uint request, nint argument)
    {
        object? target;
        lock (_lock)
        {
            Journal.Add(KvmIoctlNames.Of(request));
            if (!_descriptors.TryGetValue(fd, out target))
            {
                Violations.Add($"{KvmIoctlNames.Of(request)} on descriptor {fd}, which is not open");
                return -Errno.EBADF;
            }

            switch (target)
            {
                case FakeKvmKernel:
                    return DeviceIoctl(request, argument);
                case FakeVm vm:
                    return VmIoctl(vm, request, argument);
                case FakeVcpu when request == KvmIoctls.KVM_RUN:
                    break;
                case FakeVcpu vcpu:
                    return vcpu.Ioctl(request, argument);
                default:
                    return -Errno.ENOTTY;
            }
        }

        // Without the lock: a guest runs as long as it likes, and is cancelled from other threads.
        return ((FakeVcpu)target).Run();
    }

    private int DeviceIoctl(uint request, nint argument)
    {
        switch (request)
        {
            case KvmIoctls.KVM_GET_API_VERSION:
                return ApiVersion;
            case KvmIoctls.KVM_CHECK_EXTENSION:
                return Capabilities.GetValueOrDefault((int)argument);
            case KvmIoctls.KVM_GET_VCPU_MMAP_SIZE:
                return RunPageSize;
            case KvmIoctls.KVM_GET_SUPPORTED_CPUID:
                KvmCpuid2* cpuid = (KvmCpuid2*)argument;
                if (cpuid->NEnt < SupportedCpuid.Count)
                {
                    return -Errno.E2BIG;
                }

                CollectionsMarshal.AsSpan(SupportedCpuid).CopyTo(new Span<KvmCpuidEntry2>(cpuid + 1, SupportedCpuid.Count));
                cpuid->NEnt = (uint)SupportedCpuid.Count;
                return 0;
            case KvmIoctls.KVM_GET_MSR_INDEX_LIST:
                uint* list = (uint*)argument;
                uint room = *list;
                *list = (uint)MsrIndices.Count;
                if (room < MsrIndices.Count)
                {
                    return -Errno.E2BIG;
                }

                CollectionsMarshal.AsSpan(MsrIndices).CopyTo(new Span<uint>(list + 1, MsrIndices.Count));
                return 0;
            case KvmIoctls.KVM_CREATE_VM:
                FakeVm vm = new();
                Machines.Add(vm);
                return AddDescriptor(vm);
            default:
                return -Errno.ENOTTY;
        }
    }

    private int VmIoctl(FakeVm vm, uint request, nint argument)
    {
        switch (request)
        {
            case KvmIoctls.KVM_CHECK_EXTENSION:
                return Capabilities.GetValueOrDefault((int)argument);
            case KvmIoctls.KVM_CREATE_VCPU:
                vm.Vcpu = new FakeVcpu(this, vm);
                foreach ((uint index, ulong value) in FurtherMsrs)
                {
                    vm.Vcpu.Msrs[index] = value;
                }

                return AddDescriptor(vm.Vcpu);
            case KvmIoctls.KVM_X86_SET_MSR_FILTER when Capabilities[KvmCapabilities.KVM_CAP_X86_MSR_FILTER] > 0:
                return vm.SetMsrFilter((KvmMsrFilter*)argument);
            case KvmIoctls.KVM_ENABLE_CAP when Capabilities[KvmCapabilities.KVM_CAP_X86_TRIPLE_FAULT_EVENT] > 0:
                KvmEnableCap* cap = (KvmEnableCap*)argument;
                vm.HasTripleFaultEvent = cap->Cap == KvmCapabilities.KVM_CAP_X86_TRIPLE_FAULT_EVENT && cap->Enable == 1;
                return vm.HasTripleFaultEvent ? 0 : -Errno.EINVAL;
            case KvmIoctls.KVM_SET_USER_MEMORY_REGION:
                KvmUserspaceMemoryRegion region = *(KvmUserspaceMemoryRegion*)argument;
                return region.Slot < Capabilities[KvmCapabilities.KVM_CAP_NR_MEMSLOTS] ? vm.SetMemory(region) : -Errno.EINVAL;
            default:
                return -Errno.ENOTTY;
        }
    }
}
