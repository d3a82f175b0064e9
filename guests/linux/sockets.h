// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_SOCKETS_H
#define LINUX_SOCKETS_H

void sockets_start(void);

#endif
