// SPDX-License-Identifier: Apache-2.0
//
// Computation for benchmarks: lists, matrices, a state machine, checksums. It
// needs nothing of the guest's runtime, so that the host can call the very same
// machine code in its own process and compare.

#ifndef BENCHGUEST_WORKLOADS_H
#define BENCHGUEST_WORKLOADS_H

#include <stdint.h>

enum workload {
    WORKLOAD_LIST,
    WORKLOAD_MATRIX,
    WORKLOAD_STATE_MACHINE,
    WORKLOAD_CRC,
    WORKLOAD_LOOP,
    WORKLOAD_COUNT,
    // All but the loop in turn.
    WORKLOAD_MIX = WORKLOAD_COUNT,
};

// Returns a checksum of what was computed.
uint64_t run_workload(uint64_t which, uint64_t rounds);

#endif
