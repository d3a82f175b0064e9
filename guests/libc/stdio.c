// SPDX-License-Identifier: Apache-2.0
//
// Output streams. Text is sent to the host with the host function HostPrint:
// standard output when a call wrote a newline, when the buffer is full and when
// a guest function ends; standard error at the end of every call.

#include "stream.h"

#include "../runtime/state.h"
#include "hyperlight_guest_ext.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE 1024

struct hl_stream {
    bool unbuffered;
    bool failed;
    size_t used;
    char *buffer;
};

static struct hl_stream output;
static struct hl_stream error_output = { .unbuffered = true };

FILE *const stdout = &output;
FILE *const stderr = &error_output;

// How many of the last bytes are the beginning of a UTF-8 sequence that is not
// complete yet: they stay in the buffer.
static size_t incomplete_tail(const char *text, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char byte = (unsigned char)text[length - back];
        if (byte < 0x80) {
            return 0;
        }
        if (byte >= 0xC0) {
            size_t wanted = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
            return back < wanted ? back : 0;
        }
    }
    return 0;
}

static bool send(struct hl_stream *stream, size_t length)
{
    if (length == 0) {
        return true;
    }
    char kept = stream->buffer[length];
    stream->buffer[length] = '\0';
    hl_make_utf8(stream->buffer, length);
    const hl_Parameter parameter = { .tag = hl_ParameterType_String,
                                     .value.String = stream->buffer };
    const hl_FunctionCall call = { .function_name = "HostPrint",
                                   .parameters = &parameter,
                                   .parameters_len = 1,
                                   .return_type = hl_ReturnType_Int };
    bool sent = hl_try_call_host_function(&call);
    stream->buffer[length] = kept;
    stream->used -= length;
    memmove(stream->buffer, stream->buffer + length, stream->used);
    stream->failed |= !sent;
    return sent;
}

static void flush_all(void)
{
    fflush(NULL);
}

int fflush(FILE *stream)
{
    if (stream == NULL) {
        int first = fflush(stdout);
        return fflush(stderr) == 0 ? first : EOF;
    }
    return send(stream, stream->used) ? 0 : EOF;
}

void hl_stream_write(struct hl_stream *stream, const char *text, size_t length)
{
    if (stream->buffer == NULL) {
        // One byte more: a zero ends what is sent.
        stream->buffer = malloc(BUFFER_SIZE + 1);
        hl_state.call_end = flush_all;
    }
    while (length > 0) {
        size_t room = BUFFER_SIZE - stream->used;
        size_t part = length < room ? length : room;
        memcpy(stream->buffer + stream->used, text, part);
        stream->used += part;
        text += part;
        length -= part;
        if (stream->used == BUFFER_SIZE) {
            send(stream, BUFFER_SIZE - incomplete_tail(stream->buffer, BUFFER_SIZE));
        }
    }
}

void hl_stream_end(struct hl_stream *stream)
{
    if (stream->unbuffered ||
        (stream->used != 0 && memchr(stream->buffer, '\n', stream->used) != NULL)) {
        fflush(stream);
    }
}

int fputs(const char *restrict text, FILE *restrict stream)
{
    hl_stream_write(stream, text, strlen(text));
    hl_stream_end(stream);
    return stream->failed ? EOF : 0;
}

int puts(const char *text)
{
    hl_stream_write(stdout, text, strlen(text));
    return fputs("\n", stdout);
}

int fputc(int byte, FILE *stream)
{
    char text = (char)byte;
    hl_stream_write(stream, &text, 1);
    hl_stream_end(stream);
    return stream->failed ? EOF : (unsigned char)byte;
}

int putc(int byte, FILE *stream)
{
    return fputc(byte, stream);
}

int putchar(int byte)
{
    return fputc(byte, stdout);
}

size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict stream)
{
    hl_stream_write(stream, data, size * count);
    hl_stream_end(stream);
    return stream->failed ? 0 : count;
}

int ferror(FILE *stream)
{
    return stream->failed;
}

void clearerr(FILE *stream)
{
    stream->failed = false;
}
