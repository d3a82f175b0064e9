// SPDX-License-Identifier: Apache-2.0
//
// The areas of new processes.

#ifndef LINUX_AREA_INHERITANCE_H
#define LINUX_AREA_INHERITANCE_H

#include <stdbool.h>

// Gives an empty list the areas of the selected one that new processes get. False without memory.
bool areas_copy(unsigned space);

// Empties a list whose pages are freed already.
void areas_forget(unsigned space);

// Whether new processes get all pages of all areas.
bool areas_are_all_inherited(void);
// Unmaps what new processes do not get, from the page tables that are selected: those of a new one.
void areas_unmap_not_inherited(void);

#endif
