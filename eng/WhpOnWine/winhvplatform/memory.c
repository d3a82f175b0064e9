// Guest memory: ranges of guest physical addresses, each a slot of KVM. A slot has memory of this process.
#include "memory.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// A process has the memory of at most one partition among its own.
static _Atomic(struct partition *) owner;

static HRESULT set_slot(struct partition *partition, struct gpa_range *range, void *host, UINT32 flags)
{
    struct kvm_userspace_memory_region region = {
        .slot = range->slot,
        .flags = flags & WHvMapGpaRangeFlagWrite ? 0 : KVM_MEM_READONLY,
        .guest_phys_addr = range->gpa,
        .memory_size = host ? range->size : 0,
        .userspace_addr = (UINT_PTR)host,
    };
    int result = kvm(partition->vm, KVM_SET_USER_MEMORY_REGION, &region);
    return result < 0 ? from_errno(-result) : S_OK;
}

// The slot of a range that was unmapped, or a new one.
static UINT32 free_slot(struct partition *partition)
{
    for (UINT32 slot = 0; slot < partition->next_slot; slot++)
    {
        struct gpa_range *range = partition->ranges;
        while (range && range->slot != slot)
            range = range->next;
        if (!range)
            return slot;
    }
    return partition->next_slot++;
}

static bool overlaps(struct partition *partition, UINT64 gpa, UINT64 size)
{
    for (struct gpa_range *range = partition->ranges; range; range = range->next)
        if (gpa < range->gpa + range->size && range->gpa < gpa + size)
            return true;
    return false;
}

static bool is_range(UINT64 address, UINT64 size)
{
    return size && address % PAGE == 0 && size % PAGE == 0 && address + size > address;
}

static HRESULT add_range(struct partition *partition, void *host, void *mirror, UINT64 gpa, UINT64 size, UINT32 flags)
{
    struct gpa_range *range = calloc(1, sizeof *range);
    if (!range)
        return E_OUTOFMEMORY;
    pthread_mutex_lock(&partition->memory_lock);
    HRESULT result = E_INVALIDARG;
    if (!overlaps(partition, gpa, size))
    {
        range->gpa = gpa;
        range->size = size;
        range->host = host;
        range->mirror = mirror;
        range->slot = free_slot(partition);
        result = set_slot(partition, range, host, flags);
    }
    if (SUCCEEDED(result))
    {
        range->next = partition->ranges;
        partition->ranges = range;
    }
    else
        free(range);
    pthread_mutex_unlock(&partition->memory_lock);
    return result;
}

static HRESULT check(struct partition *partition, const void *source, UINT64 gpa, UINT64 size, UINT32 flags)
{
    const UINT32 known = WHvMapGpaRangeFlagRead | WHvMapGpaRangeFlagWrite | WHvMapGpaRangeFlagExecute;
    return partition && partition->is_set_up && is_range(gpa, size) && is_range((UINT_PTR)source, size)
            && (flags & WHvMapGpaRangeFlagRead) && !(flags & ~known)
        ? S_OK
        : E_INVALIDARG;
}

HRESULT WINAPI WHvMapGpaRange(
    WHV_PARTITION_HANDLE handle, void *source, WHV_GUEST_PHYSICAL_ADDRESS gpa, UINT64 size, WHV_MAP_GPA_RANGE_FLAGS flags)
{
    struct partition *partition = find_partition(handle);
    HRESULT result = check(partition, source, gpa, size, flags);
    if (FAILED(result))
        return result;
    struct partition *other = NULL;
    if (!atomic_compare_exchange_strong(&owner, &other, partition) && other != partition)
        return VID_E_PARTITION_ALREADY_EXISTS;
    return add_range(partition, source, NULL, gpa, size, flags);
}

HRESULT WINAPI WHvMapGpaRange2(WHV_PARTITION_HANDLE handle, HANDLE process, void *source, WHV_GUEST_PHYSICAL_ADDRESS gpa,
    UINT64 size, WHV_MAP_GPA_RANGE_FLAGS flags)
{
    struct partition *partition = find_partition(handle);
    void *mirror;
    HRESULT result = check(partition, source, gpa, size, flags);
    if (SUCCEEDED(result))
        result = mirror_memory(process, source, size, flags & WHvMapGpaRangeFlagWrite, &mirror);
    if (FAILED(result))
        return result;
    result = add_range(partition, mirror, mirror, gpa, size, flags);
    if (FAILED(result))
        munmap(mirror, size);
    return result;
}

HRESULT WINAPI WHvUnmapGpaRange(WHV_PARTITION_HANDLE handle, WHV_GUEST_PHYSICAL_ADDRESS gpa, UINT64 size)
{
    struct partition *partition = find_partition(handle);
    if (!partition)
        return E_INVALIDARG;
    HRESULT result = WHV_E_GPA_RANGE_NOT_FOUND;
    pthread_mutex_lock(&partition->memory_lock);
    for (struct gpa_range **link = &partition->ranges; *link; link = &(*link)->next)
    {
        struct gpa_range *range = *link;
        if (range->gpa != gpa || range->size != size)
            continue;
        result = set_slot(partition, range, NULL, WHvMapGpaRangeFlagWrite);
        if (SUCCEEDED(result))
        {
            if (range->mirror)
                munmap(range->mirror, size);
            *link = range->next;
            free(range);
        }
        break;
    }
    pthread_mutex_unlock(&partition->memory_lock);
    return result;
}

bool is_mapped(struct partition *partition, UINT64 gpa)
{
    pthread_mutex_lock(&partition->memory_lock);
    bool result = overlaps(partition, gpa & ~(PAGE - 1), PAGE);
    pthread_mutex_unlock(&partition->memory_lock);
    return result;
}

// Reads within one page of guest physical memory.
static bool read_page(struct partition *partition, UINT64 gpa, void *buffer, size_t size)
{
    bool found = false;
    pthread_mutex_lock(&partition->memory_lock);
    for (struct gpa_range *range = partition->ranges; range && !found; range = range->next)
        if (gpa - range->gpa < range->size)
        {
            memcpy(buffer, (char *)range->host + (gpa - range->gpa), size);
            found = true;
        }
    pthread_mutex_unlock(&partition->memory_lock);
    return found;
}

size_t read_code(struct partition *partition, UINT64 address, void *buffer, size_t size)
{
    size_t done = 0;
    while (done < size)
    {
        struct kvm_translation translation = { .linear_address = address + done };
        size_t rest = PAGE - (address + done) % PAGE;
        size_t part = size - done < rest ? size - done : rest;
        if (kvm(partition->vcpu, KVM_TRANSLATE, &translation) < 0 || !translation.valid
            || !read_page(partition, translation.physical_address, (char *)buffer + done, part))
            break;
        done += part;
    }
    return done;
}

void forget_memory(struct partition *partition)
{
    while (partition->ranges)
    {
        struct gpa_range *range = partition->ranges;
        partition->ranges = range->next;
        if (range->mirror)
            munmap(range->mirror, range->size);
        free(range);
    }
    struct partition *expected = partition;
    atomic_compare_exchange_strong(&owner, &expected, NULL);
}
