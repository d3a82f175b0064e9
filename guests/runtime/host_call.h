// SPDX-License-Identifier: Apache-2.0

#ifndef HL_HOST_CALL_H
#define HL_HOST_CALL_H

#include "hyperlight_guest_ext.h"

// The answer of the last host call. Ends the guest if the call failed or
// answered with another type.
const hl_ParameterValue *hl_host_value(hl_ReturnType type);

#endif
