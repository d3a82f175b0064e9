// Exits of KVM as the platform describes them.
#include "exits.h"
#include "memory.h"
#include "register_values.h"
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

// More entries than one access takes: at most 1024 bytes, in pieces of 8, for two operands.
#define MAX_ENTRIES 512

#define CR0_PE (1 << 0)
#define CR0_AM (1 << 18)
#define EFER_LMA (1 << 10)

void describe_processor(struct partition *partition, WHV_RUN_VP_EXIT_REASON reason, WHV_RUN_VP_EXIT_CONTEXT *context)
{
    const struct kvm_sync_regs *state = &partition->run->s.regs;
    WHV_VP_EXIT_CONTEXT *processor = &context->VpContext;
    memset(context, 0, sizeof *context);
    context->ExitReason = reason;
    processor->ExecutionState.Cpl = state->sregs.ss.dpl;
    processor->ExecutionState.Cr0Pe = (state->sregs.cr0 & CR0_PE) != 0;
    processor->ExecutionState.Cr0Am = (state->sregs.cr0 & CR0_AM) != 0;
    processor->ExecutionState.EferLma = (state->sregs.efer & EFER_LMA) != 0;
    processor->Cr8 = state->sregs.cr8;
    processor->Cs = to_segment(&state->sregs.cs);
    processor->Rip = state->regs.rip;
    processor->Rflags = state->regs.rflags;
}

HRESULT finish_access(struct partition *partition)
{
    int result = 0;
    partition->run->immediate_exit = 1;
    for (int i = 0; i < MAX_ENTRIES && result == 0; i++)
    {
        memset(partition->run->mmio.data, 0, sizeof partition->run->mmio.data);
        result = ioctl(partition->vcpu, KVM_RUN, NULL);
    }
    int error = errno;

    // A cancellation that came meanwhile has set it too, and is remembered elsewhere.
    partition->run->immediate_exit = 0;
    return result < 0 && error == EINTR ? S_OK : E_UNEXPECTED;
}

static HRESULT describe_memory_access(struct partition *partition, WHV_RUN_VP_EXIT_CONTEXT *context)
{
    struct kvm_regs registers = partition->run->s.regs.regs;
    WHV_MEMORY_ACCESS_CONTEXT *access = &context->MemoryAccess;
    describe_processor(partition, WHvRunVpExitReasonMemoryAccess, context);
    access->Gpa = partition->run->mmio.phys_addr;
    access->AccessInfo.AccessType = partition->run->mmio.is_write ? WHvMemoryAccessWrite : WHvMemoryAccessRead;
    access->AccessInfo.GpaUnmapped = !is_mapped(partition, access->Gpa);
    access->InstructionByteCount =
        read_code(partition, registers.rip, access->InstructionBytes, sizeof access->InstructionBytes);

    // A string instruction goes on for as long as RCX says: this makes it end with its element.
    struct kvm_regs last = registers;
    last.rcx = 1;
    kvm(partition->vcpu, KVM_SET_REGS, &last);
    HRESULT result = finish_access(partition);
    int set = kvm(partition->vcpu, KVM_SET_REGS, &registers);
    return set < 0 ? from_errno(-set) : result;
}

// KVM's emulator could not fetch or did not know an instruction.
static void describe_emulation_failure(struct partition *partition, WHV_RUN_VP_EXIT_CONTEXT *context)
{
    struct kvm_translation translation = { .linear_address = partition->run->s.regs.regs.rip };
    if (kvm(partition->vcpu, KVM_TRANSLATE, &translation) == 0 && translation.valid
        && !is_mapped(partition, translation.physical_address))
    {
        describe_processor(partition, WHvRunVpExitReasonMemoryAccess, context);
        context->MemoryAccess.AccessInfo.AccessType = WHvMemoryAccessExecute;
        context->MemoryAccess.AccessInfo.GpaUnmapped = 1;
        context->MemoryAccess.AccessInfo.GvaValid = 1;
        context->MemoryAccess.Gpa = translation.physical_address;
        context->MemoryAccess.Gva = translation.linear_address;
        return;
    }
    describe_processor(partition, WHvRunVpExitReasonUnsupportedFeature, context);
    context->UnsupportedFeature.FeatureCode = WHvUnsupportedFeatureIntercept;
    context->UnsupportedFeature.FeatureParameter = partition->run->internal.suberror;
}

HRESULT describe_exit(struct partition *partition, WHV_RUN_VP_EXIT_CONTEXT *context)
{
    switch (partition->run->exit_reason)
    {
    case KVM_EXIT_IO:
        return describe_io(partition, context);
    case KVM_EXIT_MMIO:
        return describe_memory_access(partition, context);
    case KVM_EXIT_HLT:
        describe_processor(partition, WHvRunVpExitReasonX64Halt, context);
        return S_OK;
    case KVM_EXIT_SHUTDOWN:
        describe_processor(partition, WHvRunVpExitReasonUnrecoverableException, context);
        return S_OK;
    case KVM_EXIT_FAIL_ENTRY:
        describe_processor(partition, WHvRunVpExitReasonInvalidVpRegisterValue, context);
        return S_OK;
    case KVM_EXIT_INTERNAL_ERROR:
        describe_emulation_failure(partition, context);
        return S_OK;
    default:
        describe_processor(partition, WHvRunVpExitReasonUnsupportedFeature, context);
        context->UnsupportedFeature.FeatureCode = WHvUnsupportedFeatureIntercept;
        context->UnsupportedFeature.FeatureParameter = partition->run->exit_reason;
        return S_OK;
    }
}
