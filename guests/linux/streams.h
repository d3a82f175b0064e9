// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_STREAMS_H
#define LINUX_STREAMS_H

#include "files.h"

// The file of a standard stream, or NULL without memory.
struct file *stream_open(int stream);

#endif
