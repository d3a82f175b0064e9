// SPDX-License-Identifier: Apache-2.0
//
// Linked into guests that are built from other sources than those here. Runs the
// constructors of static objects before hyperlight_main, which is compiled under
// the name hl_guest_main in such a guest. Destructors never run: a guest does not
// end on its own.

#include <hyperlight_guest.h>

typedef void hl_constructor(void);

extern hl_constructor *const hl_constructors_start[];
extern hl_constructor *const hl_constructors_end[];

__attribute__((weak)) void hl_guest_main(void);

void hyperlight_main(void)
{
    for (hl_constructor *const *next = hl_constructors_start; next < hl_constructors_end; next++) {
        (*next)();
    }
    if (hl_guest_main != NULL) {
        hl_guest_main();
    }
}
