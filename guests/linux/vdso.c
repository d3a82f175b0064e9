// SPDX-License-Identifier: Apache-2.0

#include "vdso.h"

#include "../runtime/cpu.h"
#include "areas.h"
#include "clock_base.h"
#include "host_clock.h"
#include "node.h"
#include "program.h"
#include "virtual_clock.h"

#include <string.h>

// Programs may not read the time stamp counter.
#define CR4_TSD (1UL << 2)

enum { CLOCK_PAGE, OBJECT_PAGE, PAGES };

extern const uint8_t vdso_image[], vdso_image_end[];

// A file without a name: what programs write to a page of it is a copy of their own.
static struct node *file;

void vdso_start(void)
{
    file = NULL;
}

static bool create_file(void)
{
    uint8_t *clocks, *object;
    struct node *node = node_create(S_IFREG | 0555);
    if (node == NULL) {
        return false;
    }
    node_retain(node);
    node_unlink(node);
    if (node_page(node, CLOCK_PAGE, true, &clocks) != 0 || node_page(node, OBJECT_PAGE, true, &object) != 0) {
        node_release(node);
        return false;
    }
    node->size = PAGES * PAGE_SIZE;
    memcpy(object, vdso_image, (size_t)(vdso_image_end - vdso_image));
    host_clock_share((struct clock_page *)clocks);
    file = node;
    return true;
}

uint64_t vdso_map(void)
{
    if (virtual_clock_is_used() || hl_read_cr4() & CR4_TSD || !host_clock_is_steady() || (file == NULL && !create_file())) {
        return 0;
    }
    uint64_t start = area_find_free(PAGES * PAGE_SIZE, program.mapping_top);
    uint64_t object = start + OBJECT_PAGE * PAGE_SIZE;
    struct area area = {
        .start = start,
        .end = object,
        .node = file,
        .source_size = WHOLE_FILE,
        .access = PAGE_READ,
    };
    if (start == 0 || !area_add(&area)) {
        return 0;
    }
    area.start = object;
    area.end = object + PAGE_SIZE;
    area.offset = OBJECT_PAGE * PAGE_SIZE;
    area.access |= PAGE_EXECUTE;
    if (!area_add(&area)) {
        areas_remove(start, object);
        return 0;
    }
    return object;
}

const char *vdso_name(const struct area *area)
{
    if (file == NULL || area->node != file) {
        return NULL;
    }
    return area->offset == 0 ? "[vvar]" : "[vdso]";
}
