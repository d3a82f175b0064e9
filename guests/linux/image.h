// SPDX-License-Identifier: Apache-2.0
//
// The executable: a static ELF file for x86-64, at a fixed address or position
// independent.

#ifndef LINUX_IMAGE_H
#define LINUX_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

struct loaded_image {
    uint64_t base;
    uint64_t entry;
    uint64_t program_headers;
    uint64_t program_header_count;
    // The first page after the image.
    uint64_t end;
};

// Takes the file from physical memory, and makes its pages part of the next
// snapshot. NULL, or what is wrong with it.
const char *image_load(uint64_t physical, uint64_t size);

// Maps the segments of the file. False without enough memory, or without a file.
bool image_map(struct loaded_image *image);

#endif
