// SPDX-License-Identifier: Apache-2.0
//
// Directories of the host. What is in one is asked for when a path first reaches it,
// and the contents of a file when it is opened. One that may not be changed is
// root's, and its files stay as they were when they were first opened; the files of
// one that may be changed are the program's, and they are kept while they are open.

#ifndef LINUX_HOST_DIRECTORY_H
#define LINUX_HOST_DIRECTORY_H

#include "node.h"
#include "path.h"

// Where the host has a file. The directory has the file, and so it is not freed.
struct host_file {
    struct node *directory;
    // Its contents are those of the host.
    bool is_fetched;
    uint8_t length;
    char name[NAME_SIZE + 1];
};

void host_directories_start(void);

// A directory without a name, whose contents are the host's. NULL without memory.
struct node *host_directory_create(bool is_writable);

// The directory of the host that is in no other one, NULL for a directory in memory.
const struct node *host_directory_top(const struct node *directory);

// A name that the host says it has, although it was not listed: -ENOENT if it has not.
int64_t host_directory_add(struct node *directory, const char *name, size_t length, struct node **node);

// The path of a directory, or of a file in it if the length is not 0.
int64_t host_path(struct node *directory, const char *name, size_t length, char path[PATH_SIZE]);

// Notes where the host has a file. -ENOSPC without memory.
int64_t host_file_place(struct node *node, struct node *directory, const char *name, size_t length);

// The host does not have the file, or the directory, any more: a file that is open is
// one in memory.
void host_file_forget(struct node *node);

// Before the contents of a regular file are used: fetches them, if they are the
// host's. -ENOMEM, -EIO or what the host says.
int64_t host_file_fetch(struct node *node);

// Nothing uses the file now: its contents are fetched again the next time.
void host_file_release(struct node *node);

#endif
