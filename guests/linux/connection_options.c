// SPDX-License-Identifier: Apache-2.0
//
// The options of connections. What the host does is its own choice: most options
// keep their values and have no effect.

#include "connection.h"

#include "clock.h"
#include "errors.h"

#include <string.h>

enum { IP_TOS = 1, IPV6_V6ONLY = 26 };
enum { TCP_NODELAY = 1, TCP_CORK = 3, TCP_KEEPIDLE = 4, TCP_KEEPINTVL = 5, TCP_KEEPCNT = 6, TCP_QUICKACK = 12,
       TCP_USER_TIMEOUT = 18 };

#define BUFFER_SIZE 0x10000

// The values of an option are from `least` to `most`; a switch is 0 or 1, whatever is set.
static const struct option {
    uint32_t level, name, initial;
    bool is_switch;
    int32_t least, most;
} options[] = {
    { SOL_SOCKET, SO_REUSEADDR, 0, true, 0, 0 },
    { SOL_SOCKET, SO_REUSEPORT, 0, true, 0, 0 },
    { SOL_SOCKET, SO_KEEPALIVE, 0, true, 0, 0 },
    { SOL_SOCKET, SO_OOBINLINE, 0, true, 0, 0 },
    { SOL_SOCKET, SO_PRIORITY, 0, false, 0, 6 },
    { SOL_SOCKET, SO_SNDBUF, BUFFER_SIZE, false, INT32_MIN, INT32_MAX },
    { SOL_SOCKET, SO_RCVBUF, BUFFER_SIZE, false, INT32_MIN, INT32_MAX },
    { IPPROTO_TCP, TCP_NODELAY, 0, true, 0, 0 },
    { IPPROTO_TCP, TCP_CORK, 0, true, 0, 0 },
    { IPPROTO_TCP, TCP_KEEPIDLE, 7200, false, 1, 32767 },
    { IPPROTO_TCP, TCP_KEEPINTVL, 75, false, 1, 32767 },
    { IPPROTO_TCP, TCP_KEEPCNT, 9, false, 1, 127 },
    { IPPROTO_TCP, TCP_QUICKACK, 1, true, 0, 0 },
    { IPPROTO_TCP, TCP_USER_TIMEOUT, 0, false, 0, INT32_MAX },
    { IPPROTO_IP, IP_TOS, 0, false, INT32_MIN, INT32_MAX },
    { IPPROTO_IPV6, IPV6_V6ONLY, 0, true, 0, 0 },
};

#define COUNT (sizeof options / sizeof options[0])

_Static_assert(COUNT == CONNECTION_OPTIONS, "each option has a value");

// struct linger, which has no effect, and struct timeval.
#define LINGER_SIZE 8
#define TIME_SIZE 16

void connection_set_defaults(struct connection *connection)
{
    for (size_t i = 0; i < COUNT; i++) {
        connection->options[i] = options[i].initial;
    }
}

// COUNT if there is none.
static size_t find(uint32_t level, uint32_t name)
{
    size_t i = 0;
    while (i < COUNT && (options[i].level != level || options[i].name != name)) {
        i++;
    }
    return i;
}

static int64_t *timeout_of(struct connection *connection, uint32_t level, uint32_t option)
{
    return level != SOL_SOCKET       ? NULL
           : option == SO_RCVTIMEO   ? &connection->receive_timeout
           : option == SO_SNDTIMEO   ? &connection->send_timeout
                                     : NULL;
}

static int64_t get_number(struct connection *connection, uint32_t level, uint32_t option, uint32_t *number)
{
    size_t index = find(level, option);
    if (index < COUNT) {
        *number = connection->options[index];
        return 0;
    }
    switch (level == SOL_SOCKET ? option : 0) {
    case SO_TYPE:
        *number = SOCK_STREAM;
        return 0;
    case SO_DOMAIN:
        *number = connection->family;
        return 0;
    case SO_PROTOCOL:
        *number = IPPROTO_TCP;
        return 0;
    case SO_ERROR:
        *number = connection_take_error(connection);
        return 0;
    case SO_ACCEPTCONN:
        *number = 0;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int64_t connection_get_option(struct file *file, uint32_t level, uint32_t option, uint8_t value[MOST_OPTION])
{
    struct connection *connection = file->object;
    const int64_t *timeout = timeout_of(connection, level, option);
    uint32_t number = 0;
    if (timeout != NULL) {
        const int64_t time[2] = { *timeout / NANOSECONDS, *timeout % NANOSECONDS / MICROSECOND };
        memcpy(value, time, sizeof time);
        return sizeof time;
    }
    if (level == SOL_SOCKET && option == SO_LINGER) {
        return LINGER_SIZE;
    }
    int64_t error = get_number(connection, level, option, &number);
    memcpy(value, &number, sizeof number);
    return error == 0 ? (int64_t)sizeof number : error;
}

// A negative time is none, and 0 is no limit.
static int64_t set_timeout(int64_t *timeout, const uint8_t *value, uint32_t size)
{
    int64_t time[2];
    if (size < TIME_SIZE) {
        return -EINVAL;
    }
    memcpy(time, value, sizeof time);
    if (time[1] < 0 || time[1] >= MICROSECONDS) {
        return -EDOM;
    }
    const struct timespec wanted = { time[0], time[1] * MICROSECOND };
    int64_t nanoseconds = time[0] < 0 ? 1 : timespec_nanoseconds(&wanted);
    *timeout = nanoseconds == INT64_MAX ? 0 : nanoseconds;
    return 0;
}

static int64_t set_number(struct connection *connection, uint32_t level, uint32_t name, const uint8_t *value, uint32_t size)
{
    int32_t number;
    size_t index = find(level, name);
    if (size < sizeof number) {
        return -EINVAL;
    }
    if (index == COUNT) {
        return -ENOPROTOOPT;
    }
    memcpy(&number, value, sizeof number);
    const struct option *option = &options[index];
    if (!option->is_switch && (number < option->least || number > option->most)) {
        return -EINVAL;
    }
    connection->options[index] = option->is_switch ? number != 0 : (uint32_t)number;
    return 0;
}

int64_t connection_set_option(struct file *file, uint32_t level, uint32_t option, const uint8_t *value, uint32_t size)
{
    struct connection *connection = file->object;
    int64_t *timeout = timeout_of(connection, level, option);
    if (timeout != NULL) {
        return set_timeout(timeout, value, size);
    }
    if (level == SOL_SOCKET && option == SO_LINGER) {
        return size < LINGER_SIZE ? -EINVAL : 0;
    }
    return set_number(connection, level, option, value, size);
}
