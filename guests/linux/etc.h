// SPDX-License-Identifier: Apache-2.0
//
// What /etc has if the image does not: the names of users, groups and hosts.

#ifndef LINUX_ETC_H
#define LINUX_ETC_H

#include <stdbool.h>

// False without memory.
bool etc_create(void);

#endif
