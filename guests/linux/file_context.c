// SPDX-License-Identifier: Apache-2.0

#include "file_context.h"

#include "kernel_pages.h"
#include "node.h"
#include "program.h"

#define DEFAULT_MASK 022

static struct pool pool;

void file_contexts_start(void)
{
    pool = (struct pool){ .size = sizeof(struct file_context) };
}

struct file_context *current_file_context(void)
{
    return program.file_context;
}

struct file_context *file_context_create(struct node *working_directory)
{
    struct file_context *context = pool_allocate(&pool);
    if (context != NULL) {
        *context = (struct file_context){ 1, DEFAULT_MASK, working_directory };
        node_retain(working_directory);
    }
    return context;
}

struct file_context *file_context_copy(const struct file_context *context)
{
    struct file_context *copy = file_context_create(context->working_directory);
    if (copy != NULL) {
        copy->mask = context->mask;
    }
    return copy;
}

void file_context_retain(struct file_context *context)
{
    context->references++;
}

void file_context_release(struct file_context *context)
{
    if (--context->references == 0) {
        node_release(context->working_directory);
        pool_free(&pool, context);
    }
}

void file_context_change_directory(struct file_context *context, struct node *directory)
{
    node_retain(directory);
    node_release(context->working_directory);
    context->working_directory = directory;
}
