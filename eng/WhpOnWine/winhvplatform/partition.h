// A partition: a virtual machine of KVM, with at most one processor.
#ifndef PARTITION_H
#define PARTITION_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>
#include "whp.h"

#define PAGE ((UINT64)4096)
#define MAX_CPUID_RESULTS 256

// Guest memory in a slot of KVM.
struct gpa_range
{
    struct gpa_range *next;
    UINT64 gpa;
    UINT64 size;
    UINT32 slot;
    void *host; // in this process
    void *mirror; // this process's mapping of another process's memory, or NULL
};

struct partition
{
    UINT32 magic;
    int vm;

    // Properties; they are fixed by WHvSetupPartition.
    bool has_processor_count;
    bool is_set_up;
    WHV_PROCESSOR_FEATURES_BANKS features;
    WHV_X64_CPUID_RESULT2 cpuid_results[MAX_CPUID_RESULTS];
    UINT32 cpuid_result_count;

    // Memory.
    pthread_mutex_t memory_lock;
    struct gpa_range *ranges;
    UINT32 next_slot;
    bool maps_own_memory;

    // The processor.
    int vcpu; // -1: none
    struct kvm_run *run;
    size_t run_size;
    bool shows_tsc_adjust; // CPUID tells the guest of IA32_TSC_ADJUST
    UINT64 tsc_adjust_base; // what KVM has more in it than the platform
    _Atomic bool is_running;
    _Atomic bool is_cancelled; // the next run, or this one, ends
    _Atomic pid_t runner;
    pthread_mutex_t runner_lock;
};

// The partition of a handle, or NULL.
struct partition *find_partition(WHV_PARTITION_HANDLE handle);

// The same, if it has processor 0.
HRESULT find_processor(WHV_PARTITION_HANDLE handle, UINT32 index, struct partition **found);

// The device, opened once; or -1.
int kvm_device(void);

// ioctl, repeated when a signal interrupts it: the result, or a negative errno.
int kvm(int descriptor, unsigned long request, void *argument);

HRESULT from_errno(int error);

#endif
