// SPDX-License-Identifier: Apache-2.0
//
// /dev/hyperlight/ready: a program that reads it has reached its checkpoint. It reads
// the arguments and the environment variables of the run: the number of arguments in
// decimal, the arguments, the variables as NAME=VALUE, each with a zero at its end.

#ifndef LINUX_READY_DEVICE_H
#define LINUX_READY_DEVICE_H

#include "files.h"

extern const struct file_operations ready_device;

// The strings of the run, each with its zero. They must stay until the run ends.
struct run_strings {
    const char *arguments;
    size_t arguments_size;
    uint32_t argument_count;
    const char *environment;
    size_t environment_size;
};

void ready_device_start(const struct run_strings *strings);

#endif
