// SPDX-License-Identifier: Apache-2.0

#include "threads.h"

#include "futex.h"
#include "kernel_mappings.h"
#include "pages.h"
#include "physical_pages.h"
#include "process.h"
#include "processes.h"
#include "program.h"
#include "scheduler.h"
#include "vectors.h"

#include <string.h>

// For each thread: a page of vectors, pages that are not mapped, which end a
// kernel stack that grows too large, and the stack.
#define THREAD_WINDOW 0xFFFFFB0000000000UL
#define THREAD_WINDOW_SIZE 0x8000UL
#define KERNEL_STACK_OFFSET 0x4000UL

_Static_assert(VECTORS_MOST_SIZE == PAGE_SIZE, "one page");

struct thread threads[MOST_THREADS];
unsigned thread_slots;
struct thread *current_thread;

static struct {
    uint32_t last_id;
    unsigned count;
    unsigned limit;
    // Elements of `threads` with mapped pages are below.
    unsigned mapped;
} state;

void threads_clear(void)
{
    memset(threads, 0, sizeof threads[0] * thread_slots);
    memset(&state, 0, sizeof state);
    thread_slots = 0;
    current_thread = NULL;
    state.last_id = PROCESS_ID - 1;
}

unsigned threads_count(void)
{
    return state.count;
}

unsigned threads_limit(void)
{
    return state.limit;
}

void threads_set_limit(unsigned limit)
{
    state.limit = limit < MOST_THREADS ? limit : MOST_THREADS;
}

struct thread *thread_find(uint32_t id)
{
    FOR_EACH_THREAD (thread) {
        if (thread->id == id) {
            return thread;
        }
    }
    return NULL;
}

static uint64_t window_of(unsigned slot)
{
    return THREAD_WINDOW + slot * THREAD_WINDOW_SIZE;
}

void *thread_vectors(const struct thread *thread)
{
    return (void *)window_of((unsigned)(thread - threads));
}

// The pages stay mapped for the next thread in the same place.
static bool map_slot(unsigned slot)
{
    uint64_t start = window_of(slot);
    uint64_t pages = 1 + (THREAD_WINDOW_SIZE - KERNEL_STACK_OFFSET) / PAGE_SIZE;
    if (slot < state.mapped) {
        return true;
    }
    if (!pages_commit(pages)) {
        return false;
    }
    bool is_mapped = kernel_is_mapped(start) || kernel_map_new(start);
    for (uint64_t offset = KERNEL_STACK_OFFSET; is_mapped && offset < THREAD_WINDOW_SIZE; offset += PAGE_SIZE) {
        is_mapped = kernel_is_mapped(start + offset) || kernel_map_new(start + offset);
    }
    if (!is_mapped) {
        // What is mapped is used when there is memory for the rest.
        pages_uncommit(pages);
        return false;
    }
    state.mapped = slot + 1;
    return true;
}

// So that switch_stack returns to the start of a new thread, aligned as after a call.
static uint64_t prepare_stack(unsigned slot)
{
    uint64_t *top = (uint64_t *)(window_of(slot) + THREAD_WINDOW_SIZE);
    *--top = 0;
    *--top = (uint64_t)scheduler_start_thread;
    for (unsigned i = 0; i < SWITCHED_REGISTERS; i++) {
        *--top = 0;
    }
    return (uint64_t)top;
}

struct thread *thread_create(struct process *process)
{
    unsigned slot = 0;
    while (slot < thread_slots && threads[slot].state != THREAD_UNUSED) {
        slot++;
    }
    if (state.count >= state.limit || !map_slot(slot)) {
        return NULL;
    }
    struct thread *thread = &threads[slot];
    memset(thread, 0, sizeof *thread);
    thread->id = ++state.last_id;
    thread->process = process;
    process->threads++;
    thread->state = THREAD_WAITING;
    thread->deadline = NEVER;
    thread->kernel_stack = prepare_stack(slot);
    thread_slots = slot < thread_slots ? thread_slots : slot + 1;
    state.count++;
    return thread;
}

void thread_end(uint32_t exit_code)
{
    struct thread *thread = current_thread;
    futex_release_robust_list(thread);
    futex_clear_thread_id(thread);
    signals_forget(&thread->signals.queue);
    thread->state = THREAD_UNUSED;
    process_leave_children(thread);
    signals_wake_takers();
    state.count--;
    if (--current_process->threads == 0) {
        process_finish((exit_code & 0xFF) << 8);
    } else {
        scheduler_wake(&current_process->threads);
    }
    scheduler_leave();
}
