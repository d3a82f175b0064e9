// SPDX-License-Identifier: Apache-2.0

#include "file_pair.h"

#include "errors.h"
#include "user.h"

int64_t files_add_pair(struct file *const pair[2], bool closes_on_exec, uint64_t address)
{
    int64_t first = files_add(current_files(), pair[0], closes_on_exec, 0);
    if (first < 0) {
        file_release(pair[1]);
        return first;
    }
    int64_t second = files_add(current_files(), pair[1], closes_on_exec, 0);
    const int32_t numbers[2] = { (int32_t)first, (int32_t)second };
    if (second >= 0 && copy_to_user(address, numbers, sizeof numbers)) {
        return 0;
    }
    files_close(current_files(), (uint64_t)first);
    if (second >= 0) {
        files_close(current_files(), (uint64_t)second);
    }
    return second < 0 ? second : -EFAULT;
}
