// SPDX-License-Identifier: Apache-2.0
//
// Log records.

#include "flatbuffer_writer.h"
#include "hyperlight_guest_ext.h"
#include "ports.h"
#include "shared_buffer.h"
#include "state.h"

#include <string.h>

#define UNKNOWN "Unknown"

// Where the fields are in the root table; the vtable says the same.
enum {
    MESSAGE = 4,
    SOURCE = 8,
    CALLER = 12,
    FILE_NAME = 16,
    LINE = 20,
    LEVEL = 24,
    TABLE_SIZE = 28,
};

// Guest levels count down from Error = 1, those on the wire up from Trace = 0.
#define WIRE_LEVEL(level) ((uint8_t)(hl_Level_Trace - (level)))

static void write_text(struct hl_writer *writer, uint32_t field, const char *text)
{
    hl_write_offset(writer, field);
    hl_write_bytes(writer, text, strlen(text));
}

bool hl_log_record(hl_Level level, const char *message, const char *source, const char *caller,
                   const char *file, uint32_t line)
{
    if (level < hl_Level_Error || level > hl_Level_Trace || (uint32_t)level > hl_log_filter()) {
        return false;
    }
    // Four strings, each with its length, its zero and padding.
    size_t size = HL_MESSAGE_OVERHEAD + 4 * 16 + strlen(message) + strlen(source) +
                  strlen(caller) + strlen(file);
    uint8_t *room = hl_output_reserve(size);
    if (room == NULL) {
        return false;
    }
    struct hl_writer writer;
    hl_write_start(&writer, room, &hl_log_vtables);
    uint32_t root = hl_write_table(&writer, HL_VTABLE_ROOT_SPECIFIC, TABLE_SIZE);
    hl_write_u8(&writer, root + LEVEL, WIRE_LEVEL(level));
    hl_write_u32(&writer, root + LINE, line);
    write_text(&writer, root + MESSAGE, message);
    write_text(&writer, root + SOURCE, source);
    write_text(&writer, root + CALLER, caller);
    write_text(&writer, root + FILE_NAME, file);
    hl_output_commit(hl_write_finish(&writer));
    hl_out32(HL_PORT_LOG, 0);
    return true;
}

void hl_log(hl_Level level, const char *message, int32_t line, const char *file)
{
    hl_log_record(level, message, UNKNOWN, "", file, (uint32_t)line);
}

// A host that has started the guest from a snapshot leaves its own filter, marked
// in the upper half: the one that the guest was started with is the snapshot's.
uint32_t hl_log_filter(void)
{
    uint64_t update = *HL_LOG_FILTER_SLOT;
    return update >> 32 != 0 ? (uint32_t)update : hl_state.log_filter;
}
