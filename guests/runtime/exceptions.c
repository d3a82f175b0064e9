// SPDX-License-Identifier: Apache-2.0
//
// What happens on an exception: the page faults of normal operation first, then
// the guest's own handler, else the end of the guest.

#include "exceptions.h"

#include "abort.h"
#include "cpu.h"
#include "layout.h"
#include "page_fault.h"
#include "page_table.h"

#include <stddef.h>

#define VECTORS 31

static hl_ExceptionHandler handlers[VECTORS];

hl_ExceptionHandler hl_set_exception_handler(uint64_t vector, hl_ExceptionHandler handler)
{
    if (vector >= VECTORS) {
        return NULL;
    }
    hl_ExceptionHandler previous = handlers[vector];
    handlers[vector] = handler;
    return previous;
}

#define SAVE_SELECTOR(name) __asm__ volatile("mov %%" #name ", %0" : "=r"(context->name))
#define LOAD_SELECTOR(name) __asm__ volatile("mov %0, %%" #name : : "r"((uint32_t)context->name))

static void save_selectors(hl_ExceptionContext *context)
{
    SAVE_SELECTOR(ds);
    SAVE_SELECTOR(es);
    SAVE_SELECTOR(fs);
    SAVE_SELECTOR(gs);
}

static void load_selectors(const hl_ExceptionContext *context)
{
    LOAD_SELECTOR(ds);
    LOAD_SELECTOR(es);
    LOAD_SELECTOR(fs);
    LOAD_SELECTOR(gs);
}

static bool call_handler(struct hl_exception_frame *frame, uint64_t vector, uint64_t address)
{
    if (vector >= VECTORS || handlers[vector] == NULL) {
        return false;
    }
    save_selectors(&frame->context);
    hl_fxsave(frame->context.fxsave);
    if (!handlers[vector](vector, &frame->info, &frame->context, address)) {
        return false;
    }
    hl_fxrstor(frame->context.fxsave);
    load_selectors(&frame->context);
    return true;
}

static void put_bytes_at(struct hl_abort_writer *writer, uint64_t address)
{
    if (!hl_is_mapped(address, 8)) {
        hl_abort_put_text(writer, "not mapped");
        return;
    }
    for (int i = 0; i < 8; i++) {
        unsigned byte = ((const uint8_t *)address)[i];
        if (i != 0) {
            hl_abort_put_byte(writer, ' ');
        }
        hl_abort_put_byte(writer, "0123456789abcdef"[byte >> 4]);
        hl_abort_put_byte(writer, "0123456789abcdef"[byte & 0xF]);
    }
}

__attribute__((noreturn)) static void report(const struct hl_exception_frame *frame,
                                             uint64_t vector, uint64_t address)
{
    struct hl_abort_writer writer = { 0 };
    hl_abort_put_byte(&writer, hl_ErrorCode_GuestError);
    hl_abort_put_byte(&writer, (uint8_t)vector);
    hl_abort_put_text(&writer, "Vector: ");
    hl_abort_put_decimal(&writer, vector);
    hl_abort_put_text(&writer, "\nInstruction address: ");
    hl_abort_put_hex(&writer, frame->info.rip);
    hl_abort_put_text(&writer, "\nInstruction bytes: ");
    put_bytes_at(&writer, frame->info.rip);
    hl_abort_put_text(&writer, "\nFault address: ");
    hl_abort_put_hex(&writer, address);
    hl_abort_put_text(&writer, "\nError code: ");
    hl_abort_put_hex(&writer, frame->info.error_code);
    hl_abort_put_text(&writer, "\nStack pointer: ");
    hl_abort_put_hex(&writer, frame->info.rsp);
    hl_abort_finish(&writer);
}

void hl_handle_exception(struct hl_exception_frame *frame)
{
    uint64_t vector = frame->context.reserved;
    uint64_t address = vector == HL_VECTOR_PAGE_FAULT ? hl_read_cr2() : 0;

    if (vector == HL_VECTOR_PAGE_FAULT && hl_handle_page_fault(frame->info.error_code, address)) {
        return;
    }
    if (!call_handler(frame, vector, address)) {
        report(frame, vector, address);
    }
}
