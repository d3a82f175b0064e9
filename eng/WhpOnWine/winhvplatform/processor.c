// The processor of a partition.
#include "processor.h"
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

HRESULT find_processor(WHV_PARTITION_HANDLE handle, UINT32 index, struct partition **found)
{
    *found = find_partition(handle);
    if (!*found)
        return E_INVALIDARG;
    return index == 0 && (*found)->vcpu >= 0 ? S_OK : WHV_E_VP_DOES_NOT_EXIST;
}

static HRESULT create(struct partition *partition)
{
    partition->vcpu = kvm(partition->vm, KVM_CREATE_VCPU, NULL);
    if (partition->vcpu < 0)
        return from_errno(-partition->vcpu);
    partition->run_size = kvm(kvm_device(), KVM_GET_VCPU_MMAP_SIZE, NULL);
    partition->run = mmap(NULL, partition->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, partition->vcpu, 0);
    if (partition->run == MAP_FAILED)
    {
        partition->run = NULL;
        return E_OUTOFMEMORY;
    }
    partition->run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    HRESULT result = set_cpuid(partition);
    return FAILED(result) ? result : set_msr_filter(partition);
}

HRESULT WINAPI WHvCreateVirtualProcessor(WHV_PARTITION_HANDLE handle, UINT32 index, UINT32 flags)
{
    struct partition *partition = find_partition(handle);
    if (!partition || index != 0 || flags != 0)
        return E_INVALIDARG;
    if (!partition->is_set_up)
        return HV_E_INVALID_PARAMETER;
    if (partition->vcpu >= 0)
        return WHV_E_VP_ALREADY_EXISTS;
    HRESULT result = create(partition);
    if (FAILED(result))
        delete_processor(partition);
    return result;
}

void delete_processor(struct partition *partition)
{
    if (partition->run)
        munmap(partition->run, partition->run_size);
    if (partition->vcpu >= 0)
        close(partition->vcpu);
    partition->run = NULL;
    partition->vcpu = -1;
}

HRESULT WINAPI WHvDeleteVirtualProcessor(WHV_PARTITION_HANDLE handle, UINT32 index)
{
    struct partition *partition;
    HRESULT result = find_processor(handle, index, &partition);
    if (FAILED(result))
        return result;
    if (atomic_load(&partition->is_running))
        return WHV_E_INVALID_VP_STATE;
    delete_processor(partition);
    return S_OK;
}
