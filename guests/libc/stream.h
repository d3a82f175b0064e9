// SPDX-License-Identifier: Apache-2.0

#ifndef HL_LIBC_STREAM_H
#define HL_LIBC_STREAM_H

#include <stddef.h>
#include <stdint.h>

struct hl_stream;

void hl_stream_write(struct hl_stream *stream, const char *text, size_t length);

// Called once after each library call that wrote.
void hl_stream_end(struct hl_stream *stream);

// Replaces what a string on the wire may not contain (zeros, and bytes that are
// not part of valid UTF-8) by question marks.
void hl_make_utf8(char *text, size_t length);

#define HL_FORMAT_DOUBLE_SIZE 352
#define HL_FORMAT_MAX_PRECISION 32

// Writes the digits of a finite or other double without its sign; returns their
// number. `conversion` is one of f, e, g in either case.
size_t hl_format_double(char *to, uint64_t bits, char conversion, int precision, int keep_zeros);

#endif
