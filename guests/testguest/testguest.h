// SPDX-License-Identifier: Apache-2.0
//
// A guest that does, on request, whatever a host has to cope with.

#ifndef TESTGUEST_H
#define TESTGUEST_H

#include <hyperlight_guest_ext.h>

// A function and its parameter types, one letter each: i Int, u UInt, l Long,
// U ULong, f Float, d Double, b Bool, s String, B VecBytes.
struct guest_function {
    const char *name;
    hl_CGuestFunc function;
    const char *parameters;
};

#define PARAMETER(index, type) (call->parameters[index].value.type)

// Every theme registers its functions.
void register_values(void);
void register_host_calls(void);
void register_msrs(void);
void register_output(void);
void register_errors(void);
void register_faults(void);
void register_memory(void);
void register_state(void);
void register_buffers(void);
void register_mappings(void);
void register_ports(void);
void register_processor(void);
void register_residue(void);
void register_timer(void);
void register_vectors(void);

void register_functions(const struct guest_function *functions, size_t count);

#define REGISTER(functions) register_functions(functions, sizeof(functions) / sizeof((functions)[0]))

#endif
