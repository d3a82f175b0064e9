// SPDX-License-Identifier: Apache-2.0

#include "signal_frame.h"

#include "errors.h"
#include "processor.h"
#include "signal_stack.h"
#include "system_calls.h"
#include "threads.h"
#include "user.h"
#include "vectors.h"

#include <string.h>

// What programs keep below their stack pointer.
#define RED_ZONE 128
#define FRAME_ALIGNMENT 16

enum { SA_RESTORER = 0x04000000, SA_ONSTACK = 0x08000000 };

enum { UC_FP_XSTATE = 1, UC_SIGCONTEXT_SS = 2, UC_STRICT_RESTORE_SS = 4 };

// The selectors of Linux: programs may look at them.
#define LINUX_USER_CODE_SELECTOR 0x33
#define LINUX_USER_DATA_SELECTOR 0x2B

struct machine_context {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error_code, trap, old_mask, fault_address;
    uint64_t vectors;
    uint64_t reserved[8];
};

struct context {
    uint64_t flags, link;
    struct signal_stack stack;
    struct machine_context machine;
    uint64_t mask;
};

struct info {
    int32_t signal, error, code, padding;
    uint64_t words[14];
};

struct frame {
    uint64_t return_address;
    struct context context;
    struct info info;
};

_Static_assert(sizeof(struct machine_context) == 256, "as Linux");
_Static_assert(__builtin_offsetof(struct frame, info) == 312, "as Linux");
_Static_assert(sizeof(struct frame) == 440, "as Linux");

// What Linux has in the reserved bytes of an FXSAVE image, and after the whole.
#define VECTORS_NOTE_OFFSET 464
#define VECTORS_MAGIC 0x46505853U
#define VECTORS_END_MAGIC 0x46505845U

struct vectors_note {
    uint32_t magic, total_size;
    uint64_t components;
    uint32_t size, padding[7];
};

#define REGISTERS(_) _(r8) _(r9) _(r10) _(r11) _(r12) _(r13) _(r14) _(r15) _(rdi) _(rsi) _(rbp) \
    _(rbx) _(rdx) _(rax) _(rcx) _(rsp) _(rip) _(rflags)

// What the vectors need on the stack.
static size_t vectors_frame_size(void)
{
    return vectors_size() + (vectors_components() != 0 ? sizeof(uint32_t) : 0);
}

static bool push_vectors(uint64_t address)
{
    uint8_t *image = thread_vectors(current_thread);
    vectors_save(image);
    if (vectors_components() != 0) {
        const struct vectors_note note = {
            .magic = VECTORS_MAGIC,
            .total_size = (uint32_t)vectors_frame_size(),
            .components = vectors_components(),
            .size = (uint32_t)vectors_size(),
        };
        const uint32_t end = VECTORS_END_MAGIC;
        memcpy(image + VECTORS_NOTE_OFFSET, &note, sizeof note);
        if (!copy_to_user(address + vectors_size(), &end, sizeof end)) {
            return false;
        }
    }
    return copy_to_user(address, image, vectors_size());
}

static bool pop_vectors(uint64_t address)
{
    uint8_t *image = thread_vectors(current_thread);
    if (address == 0) {
        vectors_reset();
        return true;
    }
    if (!copy_from_user(image, address, vectors_size()) || !vectors_check(image)) {
        return false;
    }
    vectors_load(image);
    return true;
}

static void fill_context(struct context *context, uint64_t vectors, uint64_t mask)
{
    const struct thread *thread = current_thread;
    *context = (struct context){
        .flags = (vectors_components() != 0 ? UC_FP_XSTATE : 0) | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
        .mask = mask,
        .machine = {
            .cs = LINUX_USER_CODE_SELECTOR,
            .ss = LINUX_USER_DATA_SELECTOR,
            .error_code = thread->error_code,
            .trap = thread->trap,
            .fault_address = thread->fault_address,
            .old_mask = mask,
            .vectors = vectors,
        },
    };
    context->stack = (struct signal_stack){ thread->signals.stack, thread->signals.stack_flags, 0,
                                            thread->signals.stack_size };
#define SAVE(name) context->machine.name = program_registers.name;
    REGISTERS(SAVE)
#undef SAVE
}

bool signal_frame_push(const struct signal_action *action, const struct signal_info *info,
                       uint64_t mask)
{
    struct frame frame;
    uint64_t stack = program_registers.rsp - RED_ZONE;
    bool is_on_stack = signal_stack_is_used();
    bool enters_stack = action->flags & SA_ONSTACK && signal_stack_is_usable() && !is_on_stack;
    if (enters_stack) {
        stack = current_thread->signals.stack + current_thread->signals.stack_size;
    }
    uint64_t vectors = (stack - vectors_frame_size()) & ~(uint64_t)(VECTORS_ALIGNMENT - 1);
    // As after a call: not aligned by the size of the return address.
    uint64_t address = ((vectors - sizeof frame) & ~(uint64_t)(FRAME_ALIGNMENT - 1)) - sizeof(uint64_t);
    if (!(action->flags & SA_RESTORER) || ((is_on_stack || enters_stack) && !signal_stack_has(address))) {
        return false;
    }
    frame.return_address = action->restorer;
    fill_context(&frame.context, vectors, mask);
    frame.info = (struct info){ .signal = (int32_t)info->signal, .code = info->code };
    memcpy(frame.info.words, info->words, sizeof info->words);
    if (!push_vectors(vectors) || !copy_to_user(address, &frame, sizeof frame)) {
        return false;
    }
    signal_stack_entered(enters_stack);
    vectors_reset();
    program_registers.rdi = info->signal;
    program_registers.rsi = address + offsetof(struct frame, info);
    program_registers.rdx = address + offsetof(struct frame, context);
    program_registers.rax = 0;
    program_registers.rsp = address;
    program_registers.rip = action->handler;
    program_registers.rflags = INITIAL_RFLAGS;
    return true;
}

// The program continues with the selectors of the kernel's own table.
static bool has_user_segments(const struct machine_context *machine)
{
    return (machine->cs | 3) == LINUX_USER_CODE_SELECTOR && (machine->ss | 3) == LINUX_USER_DATA_SELECTOR;
}

// Everything here comes from the program. Flags and the address are checked before
// the program continues; see program.c.
int64_t system_call_rt_sigreturn(const uint64_t arguments[6])
{
    (void)arguments;
    struct thread *thread = current_thread;
    struct frame frame;
    uint64_t address = program_registers.rsp - sizeof(uint64_t);
    thread->is_in_system_call = false;
    if (!copy_from_user(&frame, address, sizeof frame) || !has_user_segments(&frame.context.machine) ||
        !pop_vectors(frame.context.machine.vectors)) {
        signal_force(&(struct signal_info){ .signal = SIGSEGV, .code = SI_KERNEL });
        return (int64_t)program_registers.rax;
    }
    signals_set_blocked(frame.context.mask);
#define RESTORE(name) program_registers.name = frame.context.machine.name;
    REGISTERS(RESTORE)
#undef RESTORE
    signal_stack_set(&frame.context.stack);
    return (int64_t)program_registers.rax;
}
