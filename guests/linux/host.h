// SPDX-License-Identifier: Apache-2.0
//
// What the kernel asks of the host: the functions that a host of programs has to
// register.

#ifndef LINUX_HOST_H
#define LINUX_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The largest number of bytes in one call.
#define HOST_BYTES 0x4000

// ProgramWrite(stream, bytes): 0, or what is not 0 if the output limit is reached.
// False if the host refused the call.
bool host_write(int stream, const uint8_t *bytes, size_t size, int32_t *answer);

// ProgramRead(size, waits): the poll_events of the standard input after this call (one
// byte: POLLIN if more bytes can be read, POLLHUP if no others will come), then bytes:
// none at the end, or if there are none yet, which a call that waits does not answer.
// They are valid until the next call. False if the host refused the call, or sent too many.
bool host_read(size_t size, bool waits, uint32_t *events, const uint8_t **bytes, size_t *count);

// ProgramClock(isMonotonic): nanoseconds.
bool host_read_clock(bool is_monotonic, int64_t *nanoseconds);

// The same clocks as programs see them: continued from the last answer (host_clock.h), and with a seed the virtual
// clock. Of the monotonic one each answer is at least the one before.
bool host_clock(bool is_monotonic, int64_t *nanoseconds);

// The monotonic clock goes on from a time, when the host's begins again.
void host_continue_clock(int64_t nanoseconds);

// A connection of the host, with the events that the kernel knows.
struct host_connection {
    int32_t handle;
    uint32_t events;
};

// ProgramWait(nanoseconds, input, connections): waits until the events of a connection
// are others, or the standard input has poll_events, if `input` is set, at most so long.
// The events of the standard input (32 bits, 0 if not asked for), then those of each
// connection (32 bits). They are valid until the next call. False if the host refused.
bool host_wait(int64_t nanoseconds, bool input, const struct host_connection *connections, size_t count,
               const uint8_t **events);

// ProgramInputFile(index): a file that the program is handed, none after the last
// one: its mode (32 bits), 32 bits that are 1 for a directory of the host, 2 for one
// that may be changed, and else 0, its size (64 bits), its path.
// ProgramInputBytes(index, offset, size): a part of its contents. The bytes are
// valid until the next call.
bool host_input_file(int32_t index, const uint8_t **bytes, size_t *count);
bool host_input_bytes(int32_t index, uint64_t offset, size_t size, const uint8_t **bytes, size_t *count);

// ProgramOutputFile(path, mode, size), then ProgramOutputBytes(bytes) until all of
// its contents were given: 0, or what is not 0 if the host wants no more.
bool host_output_file(const char *path, uint32_t mode, uint64_t size, int32_t *answer);
bool host_output_bytes(const uint8_t *bytes, size_t size, int32_t *answer);

// What is asked of a directory of the host.
enum host_directory_step {
    // The entries of a directory, from the one with the number `offset` on.
    HOST_DIRECTORY_LIST,
    // The bytes of a file from `offset` on.
    HOST_DIRECTORY_READ,
    // The entry of one path.
    HOST_DIRECTORY_ENTRY,
};

// ProgramDirectory(step, path, offset): an error number (32 bits, 0 for none), then
// as many entries or bytes as there is room for, none after the last. They are valid
// until the next call. False if the host refused the call.
bool host_directory(enum host_directory_step step, const char *path, uint64_t offset, const uint8_t **bytes, size_t *count);

// What is changed in a directory of the host. What `bytes` and `value` are:
enum host_change_step {
    // A file, or a directory, that does not exist: its mode.
    HOST_CREATE_FILE,
    HOST_CREATE_DIRECTORY,
    // A name.
    HOST_REMOVE_FILE,
    HOST_REMOVE_DIRECTORY,
    // The new path and the flags of renameat2.
    HOST_RENAME,
    // Whether a file can be written.
    HOST_CHECK,
    // Bytes and their offset; at the end of the file.
    HOST_WRITE,
    HOST_APPEND,
    // The size.
    HOST_RESIZE,
    // The permissions.
    HOST_SET_MODE,
    // Two times, each as seconds and nanoseconds, as of utimensat.
    HOST_SET_TIMES,
    // As fsync does.
    HOST_SYNCHRONIZE,
};

struct host_change {
    // 0 for none.
    int32_t error;
    // The number of bytes that were written, and where.
    uint32_t count;
    uint64_t offset;
};

// ProgramChange(step, path, bytes, value): a structure of this kind. False if the
// host refused the call, or has answered something else.
bool host_change(enum host_change_step step, const char *path, const void *bytes, size_t size, uint64_t value,
                 struct host_change *answer);

// What is asked of the connections of the host.
enum host_socket_step {
    // Whether there may be connections: one byte, and nothing before it.
    HOST_SOCKET_QUERY,
    // Begins to connect to the address, a sockaddr: a handle.
    HOST_SOCKET_CONNECT,
    // The events alone.
    HOST_SOCKET_EVENTS,
    // At most `value` bytes, which follow; 0 at the end.
    HOST_SOCKET_RECEIVE,
    // The same, and they are still to be received.
    HOST_SOCKET_PEEK,
    // How many bytes can be received.
    HOST_SOCKET_AVAILABLE,
    // How many of the bytes were taken, at least one.
    HOST_SOCKET_SEND,
    // `value` is 1 for receiving, 2 for sending, 3 for both.
    HOST_SOCKET_SHUT,
    // Why it failed, which is forgotten then; 0 if it has not.
    HOST_SOCKET_ERROR,
    HOST_SOCKET_CLOSE,
};

// The events of a handle: the poll_events, whether it is connected, and above that a
// number that changes with each arrival of bytes.
#define HOST_SOCKET_POLL_EVENTS 0xFFFFU
#define HOST_SOCKET_CONNECTED 0x10000U

// ProgramSocket(step, handle, value, bytes): a result, which is an error number with
// a minus sign if it is negative (32 bits), the events of the handle (32 bits),
// and what follows. They are valid until the next call. False if the host refused.
bool host_socket(enum host_socket_step step, int32_t handle, int64_t value, const void *bytes, size_t size,
                 const uint8_t **answer, size_t *count);

// The steps of a call of a tool of the host.
enum host_call_step {
    // Whether there are tools: one byte.
    HOST_CALL_QUERY,
    // A part of the request, more follows; nothing is answered.
    HOST_CALL_REQUEST,
    // The last part. The answer is that of the tool, as its first part.
    HOST_CALL_REQUEST_END,
    // The next part of the answer.
    HOST_CALL_ANSWER,
};

// ProgramCall(step, bytes): a part of the answer has one byte before it, which is
// not 0 if more follows. They are valid until the next call. False if the host, or
// the tool, has failed.
bool host_call_tool(enum host_call_step step, const uint8_t *bytes, size_t size, const uint8_t **answer, size_t *count);

#endif
