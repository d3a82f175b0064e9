// SPDX-License-Identifier: Apache-2.0
//
// The type and the permissions of a file.

#ifndef LINUX_FILE_MODES_H
#define LINUX_FILE_MODES_H

#include <stdbool.h>
#include <stdint.h>

#define S_IFMT 0170000U
#define S_IFSOCK 0140000U
#define S_IFLNK 0120000U
#define S_IFREG 0100000U
#define S_IFBLK 0060000U
#define S_IFDIR 0040000U
#define S_IFCHR 0020000U
#define S_IFIFO 0010000U

// All bits but those of the type.
#define S_MODE 07777U
#define S_ISUID 04000U
#define S_ISGID 02000U
#define S_ISVTX 01000U
#define S_IXUGO 00111U
#define S_IXGRP 00010U

// For permission checks.
#define MAY_EXECUTE 1U
#define MAY_WRITE 2U
#define MAY_READ 4U

static inline bool is_directory(uint32_t mode)
{
    return (mode & S_IFMT) == S_IFDIR;
}

static inline bool is_regular(uint32_t mode)
{
    return (mode & S_IFMT) == S_IFREG;
}

static inline bool is_pipe(uint32_t mode)
{
    return (mode & S_IFMT) == S_IFIFO;
}

static inline bool is_link(uint32_t mode)
{
    return (mode & S_IFMT) == S_IFLNK;
}

#endif
