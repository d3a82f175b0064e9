// SPDX-License-Identifier: Apache-2.0
//
// Output only: everything goes to the host function HostPrint.

#ifndef HL_LIBC_STDIO_H
#define HL_LIBC_STDIO_H

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EOF (-1)

typedef struct hl_stream FILE;

extern FILE *const stdout;
extern FILE *const stderr;

#define HL_PRINTF(text, first) __attribute__((format(printf, text, first)))

// In a guest compiled without SSE, %f, %e and %g take the bit pattern of a double
// as a uint64_t, since a double itself cannot be passed.
int printf(const char *restrict format, ...) HL_PRINTF(1, 2);
int fprintf(FILE *restrict stream, const char *restrict format, ...) HL_PRINTF(2, 3);
int sprintf(char *restrict to, const char *restrict format, ...) HL_PRINTF(2, 3);
int snprintf(char *restrict to, size_t size, const char *restrict format, ...) HL_PRINTF(3, 4);
int vprintf(const char *restrict format, va_list arguments) HL_PRINTF(1, 0);
int vfprintf(FILE *restrict stream, const char *restrict format, va_list arguments) HL_PRINTF(2, 0);
int vsprintf(char *restrict to, const char *restrict format, va_list arguments) HL_PRINTF(2, 0);
int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list arguments)
    HL_PRINTF(3, 0);

#undef HL_PRINTF

int puts(const char *text);
int putchar(int byte);
int fputs(const char *restrict text, FILE *restrict stream);
int fputc(int byte, FILE *stream);
int putc(int byte, FILE *stream);
size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict stream);
int fflush(FILE *stream);
int ferror(FILE *stream);
void clearerr(FILE *stream);

#ifdef __cplusplus
}
#endif

#endif
