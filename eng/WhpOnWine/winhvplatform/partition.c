// Partitions and their properties.
#include "memory.h"
#include "partition.h"
#include "processor.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC 0x50764857

struct partition *find_partition(WHV_PARTITION_HANDLE handle)
{
    struct partition *partition = handle;
    return partition && partition->magic == MAGIC ? partition : NULL;
}

HRESULT WINAPI WHvCreatePartition(WHV_PARTITION_HANDLE *handle)
{
    *handle = NULL;
    if (kvm_device() < 0)
        return HRESULT_FROM_WIN32(ERROR_DEV_NOT_EXIST);
    struct partition *partition = calloc(1, sizeof *partition);
    if (!partition)
        return E_OUTOFMEMORY;
    partition->magic = MAGIC;
    partition->vcpu = -1;
    memset(partition->features.AsUINT64, 0xFF, sizeof partition->features.AsUINT64);
    pthread_mutex_init(&partition->memory_lock, NULL);
    pthread_mutex_init(&partition->runner_lock, NULL);
    partition->vm = kvm(kvm_device(), KVM_CREATE_VM, NULL);
    if (partition->vm < 0)
    {
        HRESULT result = from_errno(-partition->vm);
        free(partition);
        return result;
    }
    *handle = partition;
    return S_OK;
}

static HRESULT set_cpuid_results(struct partition *partition, const void *buffer, UINT32 size)
{
    UINT32 count = size / sizeof(WHV_X64_CPUID_RESULT2);
    if (size % sizeof(WHV_X64_CPUID_RESULT2) || count > MAX_CPUID_RESULTS)
        return E_INVALIDARG;
    memcpy(partition->cpuid_results, buffer, size);
    partition->cpuid_result_count = count;
    return S_OK;
}

HRESULT WINAPI WHvSetPartitionProperty(
    WHV_PARTITION_HANDLE handle, WHV_PARTITION_PROPERTY_CODE code, const void *buffer, UINT32 size)
{
    struct partition *partition = find_partition(handle);
    if (!partition)
        return E_INVALIDARG;
    if (partition->is_set_up)
        return HV_E_INVALID_PARAMETER;
    switch (code)
    {
    case WHvPartitionPropertyCodeProcessorCount:
        if (size != sizeof(UINT32) || *(const UINT32 *)buffer != 1)
            return E_INVALIDARG;
        partition->has_processor_count = true;
        return S_OK;
    case WHvPartitionPropertyCodeProcessorFeaturesBanks:
        if (size != sizeof partition->features)
            return E_INVALIDARG;
        memcpy(&partition->features, buffer, size);
        return S_OK;
    case WHvPartitionPropertyCodeCpuidResultList2:
        return set_cpuid_results(partition, buffer, size);
    case WHvPartitionPropertyCodeSyntheticProcessorFeaturesBanks:
        // There is no interface of Hyper-V for guests to take away.
        return size == sizeof(WHV_SYNTHETIC_PROCESSOR_FEATURES_BANKS) ? S_OK : E_INVALIDARG;
    default:
        return WHV_E_UNKNOWN_PROPERTY;
    }
}

HRESULT WINAPI WHvSetupPartition(WHV_PARTITION_HANDLE handle)
{
    struct partition *partition = find_partition(handle);
    if (!partition)
        return E_INVALIDARG;
    if (partition->is_set_up || !partition->has_processor_count)
        return WHV_E_INVALID_PARTITION_CONFIG;
    partition->is_set_up = true;
    return S_OK;
}

HRESULT WINAPI WHvDeletePartition(WHV_PARTITION_HANDLE handle)
{
    struct partition *partition = find_partition(handle);
    if (!partition)
        return E_INVALIDARG;
    if (atomic_load(&partition->is_running))
        return WHV_E_INVALID_VP_STATE;
    delete_processor(partition);
    close(partition->vm);
    forget_memory(partition);
    pthread_mutex_destroy(&partition->memory_lock);
    pthread_mutex_destroy(&partition->runner_lock);
    partition->magic = 0;
    free(partition);
    return S_OK;
}
