// SPDX-License-Identifier: Apache-2.0

#include "file_system.h"

#include "devices.h"
#include "entries.h"
#include "errors.h"
#include "etc.h"
#include "proc.h"
#include "root_image.h"

#include <string.h>

bool file_system_add(struct node *directory, const char *name, struct node *node)
{
    if (node == NULL) {
        return false;
    }
    bool is_added = directory_set(directory, name, strlen(name), node) == 0;
    if (!is_added) {
        node_unlink(node);
    }
    return is_added;
}

bool file_system_add_link(struct node *directory, const char *name, const char *target)
{
    struct node *node = node_create(S_IFLNK | 0777);
    if (node != NULL) {
        node->link.target = target;
        node->size = strlen(target);
    }
    return file_system_add(directory, name, node);
}

struct node *file_system_add_directory(struct node *directory, const char *name, uint32_t permissions)
{
    struct node *node = node_create(S_IFDIR | permissions);
    if (node == NULL) {
        return NULL;
    }
    node->uid = node->gid = ROOT_ID;
    directory->links++;
    return file_system_add(directory, name, node) ? node : NULL;
}

// A directory of the root that the kernel fills, instead of what the image has.
static struct node *replace(const char *name, uint32_t permissions)
{
    struct node *node = file_system_add_directory(root_node(), name, permissions);
    if (node != NULL) {
        node->is_fixed = true;
    }
    return node;
}

// A directory of the root that the image may have.
static bool ensure(const char *name, uint32_t permissions)
{
    struct node *node;
    int64_t error = directory_find(root_node(), name, strlen(name), &node);
    return error == -ENOENT ? file_system_add_directory(root_node(), name, permissions) != NULL : error == 0;
}

bool file_system_start(void)
{
    struct node *root;
    nodes_start();
    if (!image_is_open() || node_of_image(IMAGE_ROOT, NULL, NULL, 0, &root) != 0) {
        return false;
    }
    nodes_set_root(root);
    root->is_fixed = true;
    struct node *devices = replace("dev", 0755);
    struct node *processes = replace("proc", 0555);
    return devices != NULL && devices_create(devices) && processes != NULL && proc_create(processes) &&
           ensure("tmp", S_ISVTX | 0777) && etc_create();
}
