// SPDX-License-Identifier: Apache-2.0
//
// What the compiler expects of a C++ program without a C++ library: memory, and
// functions for what cannot happen. Running out of memory ends the guest.

#include <stddef.h>
#include <stdlib.h>

void *operator new(size_t size)
{
    return malloc(size);
}

void *operator new[](size_t size)
{
    return malloc(size);
}

void operator delete(void *pointer) noexcept
{
    free(pointer);
}

void operator delete[](void *pointer) noexcept
{
    free(pointer);
}

void operator delete(void *pointer, size_t) noexcept
{
    free(pointer);
}

void operator delete[](void *pointer, size_t) noexcept
{
    free(pointer);
}

extern "C" {

void *__dso_handle;

void __cxa_pure_virtual(void)
{
    abort();
}

// Destructors of static objects: a guest does not end on its own, so they never run.
int __cxa_atexit(void (*)(void *), void *, void *)
{
    return 0;
}
}
