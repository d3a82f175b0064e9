// SPDX-License-Identifier: Apache-2.0
//
// Looking up paths.

#ifndef LINUX_PATH_H
#define LINUX_PATH_H

#include "node.h"

#define PATH_SIZE 4096

// A directory descriptor that stands for the working directory.
#define AT_FDCWD (-100)
#define AT_SYMLINK_NOFOLLOW 0x100U
#define AT_REMOVEDIR 0x200U
#define AT_SYMLINK_FOLLOW 0x400U
#define AT_NO_AUTOMOUNT 0x800U
#define AT_EMPTY_PATH 0x1000U

enum lookup_flags {
    // The last component, if it is a link.
    LOOKUP_FOLLOW = 1,
    // An empty path is the descriptor itself.
    LOOKUP_EMPTY = 2,
    // The name is what matters: a link is not followed, and a slash after the name
    // of what is not a directory is no error.
    LOOKUP_NAME = 4,
};

struct lookup {
    // NULL if only the last component does not exist, or if it is a file without a
    // node.
    struct node *node;
    // Of an empty path, and of links to open files; not counted.
    struct file *file;
    // The directory of the last component. NULL if that is "/", "." or "..".
    struct node *directory;
    char name[NAME_SIZE + 1];
    size_t length;
    bool has_trailing_slash;
    // The path is empty.
    bool is_empty;
};

// A path of the program: 0 or an error.
int64_t path_lookup(uint64_t descriptor, uint64_t path, unsigned flags, struct lookup *lookup);
// The same; what does not exist is an error, and so is what has no node.
int64_t path_find(uint64_t descriptor, uint64_t path, unsigned flags, struct lookup *lookup);

// A path of the kernel, from a directory.
int64_t path_lookup_text(struct node *start, const char *path, unsigned flags, struct lookup *lookup);

// The absolute path of a directory, with its zero. Its size with the zero, or an
// error: -ENOENT if it was removed.
int64_t path_of_directory(struct node *directory, char *path, size_t size);

#endif
