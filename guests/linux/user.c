// SPDX-License-Identifier: Apache-2.0

#include "user.h"

#include "area_faults.h"
#include "errors.h"
#include "pages.h"

#include <string.h>

static uint8_t *locate(uint64_t address, unsigned access, uint64_t *size)
{
    uint8_t *contents;
    if (area_fault(address, access, &contents) != FAULT_RESOLVED) {
        return NULL;
    }
    uint64_t offset = address & PAGE_MASK;
    *size = PAGE_SIZE - offset;
    return contents + offset;
}

const uint8_t *user_bytes(uint64_t address, uint64_t *size)
{
    return locate(address, PAGE_READ, size);
}

bool user_can_write(uint64_t address, uint64_t size)
{
    for (uint64_t done = 0; done < size;) {
        uint64_t part;
        if (locate(address + done, PAGE_WRITE, &part) == NULL) {
            return false;
        }
        done += part;
    }
    return true;
}

bool copy_from_user(void *destination, uint64_t source, size_t size)
{
    uint8_t *bytes = destination;
    while (size != 0) {
        uint64_t part;
        const uint8_t *page = locate(source, PAGE_READ, &part);
        if (page == NULL) {
            return false;
        }
        part = part < size ? part : size;
        memcpy(bytes, page, part);
        bytes += part;
        source += part;
        size -= part;
    }
    return true;
}

bool copy_to_user(uint64_t destination, const void *source, size_t size)
{
    const uint8_t *bytes = source;
    while (size != 0) {
        uint64_t part;
        uint8_t *page = locate(destination, PAGE_WRITE, &part);
        if (page == NULL) {
            return false;
        }
        part = part < size ? part : size;
        memcpy(page, bytes, part);
        bytes += part;
        destination += part;
        size -= part;
    }
    return true;
}

int64_t copy_string_from_user(char *destination, uint64_t source, size_t size)
{
    while (size != 0) {
        uint64_t part;
        const uint8_t *bytes = locate(source, PAGE_READ, &part);
        if (bytes == NULL) {
            return -EFAULT;
        }
        part = part < size ? part : size;
        size_t length = strnlen((const char *)bytes, part);
        memcpy(destination, bytes, length < part ? length + 1 : part);
        if (length < part) {
            return 0;
        }
        destination += part;
        source += part;
        size -= part;
    }
    return -ENAMETOOLONG;
}
