// Exits by accesses to I/O ports. The platform leaves RIP at the instruction and says how long it is. KVM moves RIP itself: at
// the next entry, or, where it emulates the instruction, before the exit.
#include "exits.h"
#include "io_instruction.h"
#include "memory.h"
#include "register_values.h"
#include <string.h>

#define DIRECTION_FLAG 0x400

struct found_instruction
{
    UINT64 rip;
    struct io_instruction io;
};

static bool decode_at(struct partition *partition, UINT64 rip, struct io_instruction *io)
{
    UINT8 bytes[MAX_INSTRUCTION];
    return decode_io(bytes, read_code(partition, rip, bytes, sizeof bytes), io);
}

// Whether an instruction makes the access that KVM has reported.
static bool makes(const struct io_instruction *io, const struct kvm_run *run)
{
    return io->is_out == (run->io.direction == KVM_EXIT_IO_OUT) && io->size == run->io.size
        && (!io->has_port || io->port == run->io.port);
}

// KVM has moved RIP already: the instruction ends there.
static bool find_before(struct partition *partition, UINT64 end, struct found_instruction *found)
{
    for (int length = 1; length <= 4; length++)
    {
        found->rip = end - length;
        if (decode_at(partition, found->rip, &found->io) && found->io.length == length && makes(&found->io, partition->run))
            return true;
    }
    return false;
}

static struct found_instruction find(struct partition *partition, UINT64 before, UINT64 after)
{
    struct found_instruction found = { .rip = before };
    bool here = decode_at(partition, before, &found.io) && makes(&found.io, partition->run);
    if (after != before)
    {
        if (!here)
            found.io = (struct io_instruction){ .length = 0 };
        found.io.length = after - before;
    }
    else if (!(here && found.io.is_repeated) && !find_before(partition, before, &found))

        // Not found: RIP is behind it, wherever it is.
        found = (struct found_instruction){ .rip = before };
    return found;
}

static UINT64 data_of(const struct kvm_run *run)
{
    UINT64 data = 0;
    memcpy(&data, (const char *)run + run->io.data_offset, run->io.size);
    return data;
}

// KVM has moved RSI to the next element, and counted this one, before the exit. The platform has done neither.
static void undo_element(const struct kvm_run *run, const struct io_instruction *io, struct kvm_regs *registers)
{
    UINT64 bytes = (UINT64)run->io.size * run->io.count;
    registers->rsi += registers->rflags & DIRECTION_FLAG ? bytes : -bytes;
    if (io->has_address_size)
        registers->rsi = (UINT32)registers->rsi;
    if (io->is_repeated)
        registers->rcx += run->io.count;
}

HRESULT describe_io(struct partition *partition, WHV_RUN_VP_EXIT_CONTEXT *context)
{
    struct kvm_run *run = partition->run;
    struct kvm_sync_regs state = run->s.regs;
    struct kvm_regs registers = state.regs;
    struct io_instruction io;
    bool is_out = run->io.direction == KVM_EXIT_IO_OUT, is_string = decode_at(partition, registers.rip, &io) && io.is_string;
    UINT64 mask = run->io.size < 8 ? (1ull << run->io.size * 8) - 1 : ~0ull;
    UINT64 data = is_out ? data_of(run) : 0;
    describe_processor(partition, WHvRunVpExitReasonX64IoPortAccess, context);
    WHV_X64_IO_PORT_ACCESS_CONTEXT *access = &context->IoPortAccess;
    access->PortNumber = run->io.port;
    access->AccessInfo.IsWrite = is_out;
    access->AccessInfo.AccessSize = run->io.size;
    access->Rax = is_out ? (registers.rax & ~mask) | data : registers.rax;
    access->Rcx = registers.rcx;
    access->Rsi = registers.rsi;
    access->Rdi = registers.rdi;
    access->Ds = to_segment(&state.sregs.ds);
    access->Es = to_segment(&state.sregs.es);
    struct found_instruction found;
    if (!is_out)
    {
        memset((char *)run + run->io.data_offset, 0, run->io.size * run->io.count);
        if (is_string)
        {
            // It goes on for as long as RCX says: this makes it end with its element.
            struct kvm_regs last = registers;
            last.rcx = 1;
            kvm(partition->vcpu, KVM_SET_REGS, &last);
        }
    }
    struct kvm_run reported = *run;
    HRESULT result = finish_access(partition);
    run->io = reported.io;
    struct kvm_regs after;
    if (SUCCEEDED(result) && kvm(partition->vcpu, KVM_GET_REGS, &after) < 0)
        result = E_UNEXPECTED;
    if (FAILED(result))
        return result;
    found = find(partition, registers.rip, after.rip);
    if (is_out && found.io.is_string)
    {
        undo_element(run, &found.io, &registers);
        access->Rcx = registers.rcx;
        access->Rsi = registers.rsi;
    }
    access->AccessInfo.StringOp = found.io.is_string || is_string;
    access->AccessInfo.RepPrefix = found.io.is_repeated;
    access->InstructionByteCount =
        read_code(partition, found.rip, access->InstructionBytes, sizeof access->InstructionBytes);
    context->VpContext.InstructionLength = found.io.length;
    context->VpContext.Rip = registers.rip = found.rip;
    int set = kvm(partition->vcpu, KVM_SET_REGS, &registers);
    return set < 0 ? from_errno(-set) : S_OK;
}
