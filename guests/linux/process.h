// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_PROCESS_H
#define LINUX_PROCESS_H

// Of the process and its thread; the same in every run.
#define PROCESS_ID 1000
#define PARENT_ID 1
#define USER_ID 1000

#endif
