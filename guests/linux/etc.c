// SPDX-License-Identifier: Apache-2.0

#include "etc.h"

#include "entries.h"
#include "errors.h"
#include "file_system.h"
#include "proc.h"
#include "text.h"

#include <string.h>

// The user of programs, and its group, are 1000: see process.h.
static const struct {
    const char *name;
    const char *contents;
} defaults[] = {
    { "passwd", "root:x:0:0:root:/root:/bin/sh\n"
                "user:x:1000:1000:user:/tmp:/bin/sh\n"
                "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n" },
    { "group", "root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n" },
    { "hostname", "hyperlight\n" },
    { "hosts", "127.0.0.1\tlocalhost hyperlight\n::1\tlocalhost\n" },
    { "nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\nprotocols: files\n" },
};

static bool generate(const struct node *node, struct node *contents)
{
    struct text text = { .node = contents };
    text_put(&text, defaults[node->text.number].contents);
    return !text.has_failed;
}

static bool add(struct node *directory, unsigned index)
{
    const char *name = defaults[index].name;
    struct node *node;
    if (!proc_add_text(directory, name, generate) || directory_find(directory, name, strlen(name), &node) != 0) {
        return false;
    }
    node->mode = S_IFREG | 0644;
    node->uid = node->gid = ROOT_ID;
    node->size = strlen(defaults[index].contents);
    node->text.number = index;
    return true;
}

bool etc_create(void)
{
    struct node *directory;
    struct node *node;
    int64_t error = directory_find(root_node(), "etc", 3, &directory);
    if (error == -ENOENT) {
        directory = file_system_add_directory(root_node(), "etc", 0755);
        error = directory != NULL ? 0 : -ENOSPC;
    }
    if (error != 0 || !node_is_directory(directory)) {
        // A link of the image leads to its own files, and what is damaged is the program's to find.
        return error == 0 || error == -EIO;
    }
    for (unsigned i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        error = directory_find(directory, defaults[i].name, strlen(defaults[i].name), &node);
        if (error == -ENOMEM || (error == -ENOENT && !add(directory, i))) {
            return false;
        }
    }
    return true;
}
