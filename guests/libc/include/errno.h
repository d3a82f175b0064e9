// SPDX-License-Identifier: Apache-2.0

#ifndef HL_LIBC_ERRNO_H
#define HL_LIBC_ERRNO_H

#ifdef __cplusplus
extern "C" {
#endif

#define EIO 5
#define EBADF 9
#define ENOMEM 12
#define EINVAL 22
#define ERANGE 34
#define ENOSYS 38

extern int errno;

#ifdef __cplusplus
}
#endif

#endif
