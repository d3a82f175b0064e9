// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_STREAMS_H
#define LINUX_STREAMS_H

#include "files.h"

// The file of a standard stream, or NULL without memory.
struct file *stream_open(int stream);

// The host tells the poll_events of the standard input: wakes what waits for it.
void stream_input_note_events(uint32_t events);

// After a checkpoint, the standard input is that of another run.
void stream_input_continue(void);

#endif
