// SPDX-License-Identifier: Apache-2.0
//
// Changes in directories of the host that may be changed. Each is made on the host
// first, by the path that it concerns; then the nodes follow, for which there is
// memory already. For nodes that are not the host's, nothing is done.

#ifndef LINUX_HOST_CHANGES_H
#define LINUX_HOST_CHANGES_H

#include "node.h"

struct buffer;
struct lookup;

// Creates a regular file, or a directory, with a name that is not listed. -EEXIST if
// the host has it nevertheless.
int64_t host_create(struct lookup *lookup, uint32_t mode);

// Before a name is removed.
int64_t host_remove(const struct lookup *lookup);

// Before names are changed: renameat2. Afterwards, host_moved for each.
int64_t host_rename(const struct lookup *from, const struct lookup *to, uint32_t flags);
void host_moved(struct node *node, const struct lookup *place);

// Before a file is opened for writing.
int64_t host_check_writing(struct node *node);

// Writes to a file that is open. With `is_append`, `position` becomes that of its end.
int64_t host_write_file(struct node *node, struct buffer *buffer, uint64_t *position, bool is_append);

// Sets the size of any regular file.
int64_t file_resize(struct node *node, uint64_t size);

// Before attributes are changed. `times` are seconds and nanoseconds of two times.
int64_t host_set_mode(struct node *node, uint32_t mode);
int64_t host_set_times(struct node *node, const int64_t times[4]);

int64_t host_synchronize(struct node *node);

#endif
