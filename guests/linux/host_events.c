// SPDX-License-Identifier: Apache-2.0

#include "host_events.h"

#include "connection.h"
#include "host.h"
#include "scheduler.h"
#include "streams.h"

#include <string.h>

#define MOST_CONNECTIONS (HOST_BYTES / sizeof(struct host_connection))

bool host_events_are_awaited(void)
{
    return scheduler_awaits_input() || (connections_are_open() && scheduler_has_waiting());
}

static uint32_t events_at(const uint8_t *bytes, size_t index)
{
    uint32_t events;
    memcpy(&events, bytes + index * sizeof events, sizeof events);
    return events;
}

bool host_events_wait(int64_t nanoseconds)
{
    static struct host_connection list[MOST_CONNECTIONS];
    const uint8_t *events;
    size_t count = connections_list(list, MOST_CONNECTIONS);
    bool input = scheduler_awaits_input();
    if (!host_wait(nanoseconds, input, list, count, &events)) {
        return false;
    }
    if (input) {
        stream_input_note_events(events_at(events, 0));
    }
    for (size_t i = 0; i < count; i++) {
        connection_note_events(list[i].handle, events_at(events, 1 + i));
    }
    return true;
}
