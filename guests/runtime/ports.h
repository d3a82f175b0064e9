// SPDX-License-Identifier: Apache-2.0
//
// Port I/O. Every exit to the host is one of these.

#ifndef HL_PORTS_H
#define HL_PORTS_H

#include <stdint.h>

enum {
    HL_PORT_LOG = 99,
    HL_PORT_CALL_FUNCTION = 101,
    HL_PORT_ABORT = 102,
    HL_PORT_DEBUG_PRINT = 103,
    HL_PORT_TIMER = 107,
    HL_PORT_HALT = 108,
};

// The host reads and writes the shared buffers while the guest is out, hence
// the memory clobbers.

static inline void hl_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "d"(port) : "memory");
}

static inline void hl_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "d"(port) : "memory");
}

static inline void hl_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "d"(port) : "memory");
}

static inline uint32_t hl_in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "d"(port) : "memory");
    return value;
}

#endif
