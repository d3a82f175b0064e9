// SPDX-License-Identifier: Apache-2.0
//
// Directories of the host.

#include "files.h"

static void print_content(const char *path)
{
    static char bytes[4096];
    int64_t file = open_file(path, O_RDONLY, 0);
    int64_t count;
    if (file < 0) {
        print_line("open", file);
        return;
    }
    while ((count = call(CALL_READ, (uint64_t)file, (uint64_t)bytes, sizeof bytes, 0)) > 0) {
        call(CALL_WRITE, 1, (uint64_t)bytes, (uint64_t)count, 0);
    }
    close_file(file);
}

// What can be read at the paths, and what cannot be changed: nothing, of the first
// file.
static int read_host_directory(const struct start *start)
{
    struct status status;
    print_names(start->arguments[2]);
    for (uint64_t i = 3; i < start->argument_count; i++) {
        const char *path = start->arguments[i];
        print_status(path, path);
        if (call(CALL_LSTAT, (uint64_t)path, (uint64_t)&status, 0, 0) != 0) {
            continue;
        }
        if ((status.mode & 0170000) == 0040000) {
            print_names(path);
        } else {
            print_content(path);
        }
    }
    uint64_t file = (uint64_t)start->arguments[3];
    uint64_t directory = (uint64_t)start->arguments[2];
    print_line("write", open_file(start->arguments[3], O_RDWR, 0));
    print_line("truncate", call(CALL_TRUNCATE, file, 0, 0, 0));
    call(CALL_CHDIR, directory, 0, 0, 0);
    print_line("create", open_file("new", O_RDWR | O_CREAT, 0644));
    print_line("directory", call(CALL_MKDIR, (uint64_t)"new", 0755, 0, 0));
    print_line("remove", call(CALL_UNLINK, file, 0, 0, 0));
    print_line("rename", call(CALL_RENAME, file, (uint64_t)"/tmp/moved", 0, 0));
    print_line("mode", call(CALL_CHMOD, file, 0777, 0, 0));
    print_line("remove directory", call(CALL_RMDIR, directory, 0, 0, 0));
    return 0;
}

int host_files(const char *name, const struct start *start)
{
    return equal(name, "host-directory") ? read_host_directory(start) : host_changes(name, start);
}
