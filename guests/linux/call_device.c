// SPDX-License-Identifier: Apache-2.0

#include "call_device.h"

#include "errors.h"
#include "host.h"
#include "kernel_pages.h"
#include "node.h"
#include "readiness.h"

#include <string.h>

// Bytes of a request, and of an answer, without the end of the line.
#define MOST_LINE 0x100000U

static const char failed[] = "{\"error\":{\"code\":\"failed\",\"message\":\"The tool has failed.\"}}";
static const char too_large[] = "{\"error\":{\"code\":\"too_large\",\"message\":\"The request has more than 1048576 bytes.\"}}";

// What one open file has: the line that has not ended yet, and the answers that
// were not read yet, from the position of the file on. Their bytes are in files
// without names, so that they count against the memory limit.
struct connection {
    struct node *request;
    struct node *answers;
    // The line is longer than a request can be.
    bool is_too_large;
};

static struct node *create_bytes(void)
{
    struct node *node = node_create(S_IFREG);
    if (node != NULL) {
        node_retain(node);
        node_unlink(node);
    }
    return node;
}

static void release_connection(struct file *file)
{
    struct connection *connection = file->object;
    if (connection == NULL) {
        return;
    }
    if (connection->request != NULL) {
        node_release(connection->request);
    }
    if (connection->answers != NULL) {
        node_release(connection->answers);
    }
    kernel_page_free(connection);
}

static int64_t open_connection(struct file *file)
{
    const uint8_t *has_tools;
    size_t count;
    if (!host_call_tool(HOST_CALL_QUERY, NULL, 0, &has_tools, &count) || count != 1 || *has_tools == 0) {
        return -EACCES;
    }
    struct connection *connection = kernel_page_allocate();
    file->object = connection;
    if (connection == NULL) {
        return -ENOMEM;
    }
    connection->request = create_bytes();
    connection->answers = create_bytes();
    return connection->request != NULL && connection->answers != NULL ? 0 : -ENOMEM;
}

// All of the bytes, or none.
static int64_t append(struct node *node, const void *bytes, uint64_t size)
{
    uint64_t start = node->size;
    struct buffer buffer = kernel_buffer(bytes, size);
    if (node_write(node, &buffer, start) == (int64_t)size) {
        return 0;
    }
    node_resize(node, start);
    return -ENOSPC;
}

// Hands the request over. The first part of the answer, or false if it failed.
static bool send_request(struct node *request, const uint8_t **answer, size_t *count)
{
    static uint8_t bytes[HOST_BYTES];
    uint64_t offset = 0;
    for (;;) {
        struct buffer buffer = kernel_buffer(bytes, sizeof bytes);
        int64_t size = node_read(request, &buffer, offset);
        if (size < 0) {
            return false;
        }
        offset += (uint64_t)size;
        bool is_last = offset >= request->size;
        if (!host_call_tool(is_last ? HOST_CALL_REQUEST_END : HOST_CALL_REQUEST, bytes, (size_t)size, answer, count)) {
            return false;
        }
        if (is_last) {
            return true;
        }
    }
}

// All parts of the answer. -EIO if the host fails.
static int64_t receive_answer(struct node *answers, const uint8_t *answer, size_t count)
{
    uint64_t start = answers->size;
    for (;;) {
        if (count == 0 || answers->size - start + count - 1 > MOST_LINE) {
            return -EIO;
        }
        bool is_last = answer[0] == 0;
        int64_t error = append(answers, answer + 1, count - 1);
        if (error != 0 || is_last) {
            return error;
        }
        if (!host_call_tool(HOST_CALL_ANSWER, NULL, 0, &answer, &count)) {
            return -EIO;
        }
    }
}

static int64_t call_tool(struct connection *connection)
{
    const uint8_t *answer;
    size_t count;
    if (connection->is_too_large) {
        return append(connection->answers, too_large, sizeof too_large - 1);
    }
    if (!send_request(connection->request, &answer, &count)) {
        return append(connection->answers, failed, sizeof failed - 1);
    }
    return receive_answer(connection->answers, answer, count);
}

// The line has ended. The answer is whole, or it is not there.
static int64_t end_line(struct connection *connection)
{
    uint64_t start = connection->answers->size;
    int64_t error = call_tool(connection);
    node_resize(connection->request, 0);
    connection->is_too_large = false;
    error = error == 0 ? append(connection->answers, "\n", 1) : error;
    if (error != 0) {
        node_resize(connection->answers, start);
    }
    readiness_changed(connection);
    return error;
}

static int64_t add_to_line(struct connection *connection, const uint8_t *bytes, uint64_t size)
{
    if (!connection->is_too_large && size > MOST_LINE - connection->request->size) {
        connection->is_too_large = true;
        node_resize(connection->request, 0);
    }
    return connection->is_too_large ? 0 : append(connection->request, bytes, size);
}

static int64_t write_lines(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    struct connection *connection = file->object;
    int64_t written = 0;
    while (buffer->size != 0) {
        uint64_t size;
        const uint8_t *bytes = buffer_bytes(buffer, &size);
        if (bytes == NULL) {
            return written != 0 ? written : -EFAULT;
        }
        const uint8_t *end = memchr(bytes, '\n', size);
        size = end != NULL ? (uint64_t)(end - bytes) : size;
        int64_t error = add_to_line(connection, bytes, size);
        error = error == 0 && end != NULL ? end_line(connection) : error;
        if (error != 0) {
            return written != 0 ? written : error;
        }
        size += end != NULL;
        buffer->address += size;
        buffer->size -= size;
        written += (int64_t)size;
    }
    return written;
}

// The end of the file is where no answer is left.
static int64_t read_answers(struct file *file, struct buffer *buffer, uint64_t *position)
{
    struct connection *connection = file->object;
    int64_t count = node_read(connection->answers, buffer, *position);
    *position += count > 0 ? (uint64_t)count : 0;
    if (*position == connection->answers->size) {
        node_resize(connection->answers, 0);
        *position = 0;
    }
    return count;
}

static uint32_t poll_connection(struct file *file)
{
    const struct connection *connection = file->object;
    return POLLOUT | (file->position < connection->answers->size ? POLLIN : 0);
}

const struct file_operations call_device = {
    .open = open_connection,
    .read = read_answers,
    .write = write_lines,
    .poll = poll_connection,
    .release = release_connection,
};
