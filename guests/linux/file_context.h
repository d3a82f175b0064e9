// SPDX-License-Identifier: Apache-2.0
//
// What a process has for looking up paths: its working directory and its umask.
// Shared by the threads of a process, copied by fork.

#ifndef LINUX_FILE_CONTEXT_H
#define LINUX_FILE_CONTEXT_H

#include <stdint.h>

struct node;

struct file_context {
    uint32_t references;
    uint32_t mask;
    // Counted.
    struct node *working_directory;
};

// Forgets all of them.
void file_contexts_start(void);

// NULL without memory.
struct file_context *file_context_create(struct node *working_directory);
struct file_context *file_context_copy(const struct file_context *context);
void file_context_retain(struct file_context *context);
void file_context_release(struct file_context *context);

void file_context_change_directory(struct file_context *context, struct node *directory);

// Of the running process.
struct file_context *current_file_context(void);

#endif
