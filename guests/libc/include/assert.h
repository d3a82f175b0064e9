// SPDX-License-Identifier: Apache-2.0
//
// May be included again with NDEBUG changed, hence no include guard.

#undef assert

#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition) \
    ((condition) ? (void)0 : hl_assertion_failed(#condition, __FILE__, __LINE__, __func__))
#endif

#ifndef HL_LIBC_ASSERT_H
#define HL_LIBC_ASSERT_H

#ifdef __cplusplus
extern "C" {
#else
#define static_assert _Static_assert
#endif

__attribute__((noreturn)) void hl_assertion_failed(const char *condition, const char *file,
                                                   int line, const char *function);

#ifdef __cplusplus
}
#endif

#endif
