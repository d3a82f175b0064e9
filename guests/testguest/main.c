// SPDX-License-Identifier: Apache-2.0

#include "testguest.h"

#include <string.h>

#define MOST_PARAMETERS 11

static hl_ParameterType type_of(char letter)
{
    // In the order of hl_ParameterType.
    static const char letters[] = "iulUfdsbB";
    return (hl_ParameterType)(strchr(letters, letter) - letters);
}

void register_functions(const struct guest_function *functions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hl_ParameterType types[MOST_PARAMETERS];
        size_t parameters = 0;
        for (; functions[i].parameters[parameters] != '\0'; parameters++) {
            types[parameters] = type_of(functions[i].parameters[parameters]);
        }
        hl_register_function_definition(functions[i].name, functions[i].function, parameters,
                                        types, hl_ReturnType_Void);
    }
}

void hyperlight_main(void)
{
    register_values();
    register_host_calls();
    register_output();
    register_errors();
    register_faults();
    register_memory();
    register_state();
    register_buffers();
    register_mappings();
    register_msrs();
    register_ports();
    register_processor();
    register_residue();
    register_timer();
    register_vectors();
}
