// SPDX-License-Identifier: Apache-2.0
//
// Sockets for datagrams, which lead nowhere. Programs that look for the families of
// addresses that they can use make one, connect it, and close it.

#ifndef LINUX_DATAGRAM_H
#define LINUX_DATAGRAM_H

#include "files.h"

void datagrams_start(void);

// A file with a socket of AF_INET, or NULL without memory.
struct file *datagram_create(uint32_t flags);

#endif
