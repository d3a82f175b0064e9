// SPDX-License-Identifier: Apache-2.0
//
// Pages become present when they are used.

#ifndef LINUX_AREA_FAULTS_H
#define LINUX_AREA_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

enum fault_result {
    FAULT_RESOLVED,
    FAULT_NOT_MAPPED,
    FAULT_NOT_PERMITTED,
    FAULT_NO_MEMORY,
    // After the last page of a file: SIGBUS.
    FAULT_BEYOND_END,
};

// Makes the page of an address present for an access. `contents` is the
// kernel's address of the page, to be read, and to be written after a PAGE_WRITE.
enum fault_result area_fault(uint64_t address, unsigned access, uint8_t **contents);

// The same for an access of the program itself. `is_present`: it has failed although
// there is a page.
enum fault_result area_fault_of_program(uint64_t address, unsigned access, bool is_present);

#endif
