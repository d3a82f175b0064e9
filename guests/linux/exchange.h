// SPDX-License-Identifier: Apache-2.0
//
// Files that the host hands to a program, and those that it takes afterwards.

#ifndef LINUX_EXCHANGE_H
#define LINUX_EXCHANGE_H

#include <stdint.h>

// Before the program starts. NULL, or what is wrong.
const char *input_files_receive(void);

// Sends the regular files below a directory that are new or changed. NULL, or what
// is wrong; a directory that does not exist has no files. `left_out` receives the
// number of files and directories whose paths are longer than PATH_SIZE.
const char *output_files_send(const char *directory, uint32_t *left_out);

#endif
