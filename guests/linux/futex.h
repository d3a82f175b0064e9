// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_FUTEX_H
#define LINUX_FUTEX_H

#include "threads.h"

// What a thread leaves behind: the locks on its robust list, and the word that
// tells other threads of its end.
void futex_release_robust_list(struct thread *thread);
void futex_clear_thread_id(struct thread *thread);

#endif
