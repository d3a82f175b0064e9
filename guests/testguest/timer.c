// SPDX-License-Identifier: Apache-2.0
//
// The timer that the host can give a guest: interrupts with vector 0x20.

#include "testguest.h"

#include "../runtime/layout.h"
#include "../runtime/ports.h"

#define VECTOR 0x20
// The handler has a stack of its own that is there: nothing of it is taken on demand.
#define EXCEPTION_IST 1UL
#define INTERRUPT_GATE 0x8EUL
#define PORT_CONTROLLER 0x20
#define PORT_CONTROLLER_DATA 0x21
#define RIGHT_VECTORS 0x20

volatile uint32_t timer_ticks __attribute__((visibility("hidden")));
extern const char timer_handler[] __attribute__((visibility("hidden")));

// Counts, and ends the interrupt as a legacy interrupt controller wants it.
__asm__(".pushsection .text.timer_handler, \"ax\", @progbits\n"
        ".globl timer_handler\n"
        ".hidden timer_handler\n"
        "timer_handler:\n"
        "    push %rax\n"
        "    incl timer_ticks(%rip)\n"
        "    mov $0x20, %al\n"
        "    outb %al, $0x20\n"
        "    pop %rax\n"
        "    iretq\n"
        ".popsection\n");

static void set_handler(void)
{
    volatile uint64_t *gate = (volatile uint64_t *)(HL_CONTROL_BLOCK + HL_IDT_OFFSET) + 2 * VECTOR;
    uint64_t handler = (uint64_t)timer_handler;
    gate[0] = (handler & 0xFFFF) | (uint64_t)HL_CODE_SELECTOR << 16 | EXCEPTION_IST << 32 | INTERRUPT_GATE << 40 |
              (handler >> 16 & 0xFFFF) << 48;
    gate[1] = handler >> 32;
    // Its page is private from now on.
    timer_ticks = 0;
}

static void start(uint32_t period)
{
    set_handler();
    // As guests do that have the controller send interrupt 0 to the vector.
    hl_out8(PORT_CONTROLLER, 0x11);
    hl_out8(PORT_CONTROLLER_DATA, RIGHT_VECTORS);
    hl_out8(PORT_CONTROLLER_DATA, 4);
    hl_out8(PORT_CONTROLLER_DATA, 1);
    hl_out32(HL_PORT_TIMER, period);
}

static hl_Vec *finish(void)
{
    __asm__ volatile("cli" : : : "memory");
    return hl_flatbuffer_result_from_UInt(timer_ticks);
}

static void spin(uint32_t wanted, int64_t spins)
{
    __asm__ volatile("sti" : : : "memory");
    for (int64_t i = 0; i < spins && timer_ticks < wanted; i++) {
        __asm__ volatile("pause" : : : "memory");
    }
}

static hl_Vec *timer_spin(const hl_FunctionCall *call)
{
    start(PARAMETER(0, UInt));
    spin(PARAMETER(1, UInt), PARAMETER(2, Long));
    hl_out32(HL_PORT_TIMER, 0);
    return finish();
}

static hl_Vec *timer_halt(const hl_FunctionCall *call)
{
    start(PARAMETER(0, UInt));
    while (timer_ticks < PARAMETER(1, UInt)) {
        // No interrupt comes between the two.
        __asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
    }
    return finish();
}

// Returns with interrupts off, and with the timer as it is.
static hl_Vec *timer_start(const hl_FunctionCall *call)
{
    start(PARAMETER(0, UInt));
    return finish();
}

static hl_Vec *timer_count(const hl_FunctionCall *call)
{
    set_handler();
    spin(UINT32_MAX, PARAMETER(0, Long));
    return finish();
}

static hl_Vec *timer_halt_without_interrupts(const hl_FunctionCall *call)
{
    start(PARAMETER(0, UInt));
    __asm__ volatile("hlt" : : : "memory");
    return finish();
}

static const struct guest_function functions[] = {
    { "TimerSpin", timer_spin, "uul" },
    { "TimerHalt", timer_halt, "uu" },
    { "TimerStart", timer_start, "u" },
    { "TimerCount", timer_count, "l" },
    { "TimerHaltWithoutInterrupts", timer_halt_without_interrupts, "u" },
};

void register_timer(void)
{
    REGISTER(functions);
}
