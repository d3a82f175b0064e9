// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_SIGNALS_H
#define LINUX_SIGNALS_H

// Acts on the signals that the program has sent to itself and does not block.
void signals_deliver(void);

#endif
