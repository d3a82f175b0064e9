// SPDX-License-Identifier: Apache-2.0

#include "image.h"

#include "../runtime/page_table.h"
#include "areas.h"
#include "random.h"

#include <string.h>

// Where the kernel sees the file.
#define IMAGE_WINDOW 0xFFFFA00000000000UL
#define MOST_IMAGE_SIZE 0x100000000UL

#define POSITION_INDEPENDENT_BASE 0x555555554000UL
#define RANDOM_BASE_BITS 28

enum { ET_EXEC = 2, ET_DYN = 3, EM_X86_64 = 62 };
enum { PT_LOAD = 1, PT_INTERP = 3 };
enum { PF_X = 1, PF_W = 2, PF_R = 4 };

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t header_size, program_header_size, program_header_count;
    uint16_t section_header_size, section_header_count, names;
};

struct program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
};

static struct {
    const uint8_t *bytes;
    uint64_t size;
} file;

static const struct elf_header *header(void)
{
    return (const struct elf_header *)file.bytes;
}

static const struct program_header *segment(unsigned index)
{
    return (const struct program_header *)(file.bytes + header()->program_headers) + index;
}

static void map_window(uint64_t physical, uint64_t size)
{
    for (uint64_t offset = 0; offset < size; offset += PAGE_SIZE) {
        hl_map_page(IMAGE_WINDOW + offset, physical + offset, HL_PTE_READ_ONLY | HL_PTE_NO_EXECUTE);
    }
}

static const char *check_header(void)
{
    static const uint8_t magic[] = { 0x7F, 'E', 'L', 'F', 2, 1, 1 };
    if (file.size < sizeof(struct elf_header) || memcmp(file.bytes, magic, sizeof magic) != 0) {
        return "it is not a 64-bit ELF file";
    }
    const struct elf_header *elf = header();
    if (elf->machine != EM_X86_64) {
        return "it is not for x86-64";
    }
    if (elf->type != ET_EXEC && elf->type != ET_DYN) {
        return "it is not an executable";
    }
    uint64_t size = (uint64_t)elf->program_header_count * sizeof(struct program_header);
    if (elf->program_header_size != sizeof(struct program_header) || elf->program_headers % 8 != 0 ||
        elf->program_headers > file.size || size > file.size - elf->program_headers) {
        return "its program headers are invalid";
    }
    return NULL;
}

// `end` is the end of the segment before.
static const char *check_segment(const struct program_header *load, uint64_t *end)
{
    if (load->offset > file.size || load->file_size > file.size - load->offset ||
        load->file_size > load->memory_size || load->address % PAGE_SIZE != load->offset % PAGE_SIZE) {
        return "a segment of it is invalid";
    }
    if (load->address >= PROGRAM_END || load->memory_size > PROGRAM_END - load->address) {
        return "a segment of it is outside the address space of programs";
    }
    if (header()->type == ET_EXEC && load->address < PROGRAM_START) {
        return "it is linked to an address below 0x400000";
    }
    if (page_of(load->address) < *end) {
        return "its segments overlap or are not in ascending order";
    }
    *end = round_up_to_page(load->address + load->memory_size);
    return NULL;
}

static const char *check_segments(void)
{
    uint64_t end = 0;
    for (unsigned i = 0; i < header()->program_header_count; i++) {
        if (segment(i)->type == PT_INTERP) {
            return "it is dynamically linked: only static programs can run";
        }
        const char *problem = segment(i)->type == PT_LOAD && segment(i)->memory_size != 0
                                  ? check_segment(segment(i), &end) : NULL;
        if (problem != NULL) {
            return problem;
        }
    }
    return end == 0 ? "it has no segments" : NULL;
}

const char *image_load(uint64_t physical, uint64_t size)
{
    if (size == 0 || size > MOST_IMAGE_SIZE || physical % PAGE_SIZE != 0) {
        return "its size is not supported";
    }
    map_window(physical, size);
    file.bytes = (const uint8_t *)IMAGE_WINDOW;
    file.size = size;
    const char *problem = check_header();
    if (problem == NULL) {
        problem = check_segments();
    }
    if (problem != NULL) {
        file.size = 0;
    }
    return problem;
}

static bool map_segment(const struct program_header *load, uint64_t base)
{
    uint64_t in_page = load->address & PAGE_MASK;
    struct area area = {
        .start = page_of(base + load->address),
        .end = round_up_to_page(base + load->address + load->memory_size),
        .access = (load->flags & PF_R ? PAGE_READ : 0) | (load->flags & PF_W ? PAGE_WRITE : 0) |
                  (load->flags & PF_X ? PAGE_EXECUTE : 0),
        .is_committed = true,
    };
    if (load->file_size != 0) {
        area.source = file.bytes + page_of(load->offset);
        area.source_size = in_page + load->file_size;
    }
    return area.end <= PROGRAM_END && area_add(&area);
}

bool image_map(struct loaded_image *image)
{
    if (file.size == 0) {
        return false;
    }
    uint64_t base = header()->type == ET_DYN ? POSITION_INDEPENDENT_BASE + random_offset(RANDOM_BASE_BITS) : 0;
    *image = (struct loaded_image){
        .base = base,
        .entry = base + header()->entry,
        .program_header_count = header()->program_header_count,
    };
    for (unsigned i = 0; i < header()->program_header_count; i++) {
        const struct program_header *load = segment(i);
        if (load->type != PT_LOAD || load->memory_size == 0) {
            continue;
        }
        if (!map_segment(load, base)) {
            return false;
        }
        image->end = round_up_to_page(base + load->address + load->memory_size);
        if (header()->program_headers >= load->offset &&
            header()->program_headers - load->offset < load->file_size) {
            image->program_headers = base + load->address + header()->program_headers - load->offset;
        }
    }
    return true;
}
