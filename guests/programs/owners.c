// SPDX-License-Identifier: Apache-2.0
//
// The owners of files, and what is left of a file's mode when a file changes.

#include "calls.h"

#define KEEP UINT32_MAX
#define ROOT 0
#define NOFOLLOW 0x100
#define EMPTY_PATH 0x1000

static uint64_t user, group;

// A file that acts as its user and group until it is changed.
static void set_mode(uint64_t mode)
{
    call(CALL_CHMOD, at("file"), mode, 0, 0);
}

static void changes(int64_t file)
{
    print_line("chown", call(CALL_CHOWN, at("file"), user, group, 0));
    print_line("only the user", call(CALL_CHOWN, at("file"), user, KEEP, 0));
    print_line("only the group", call(CALL_CHOWN, at("file"), KEEP, group, 0));
    print_line("to root", call(CALL_CHOWN, at("file"), ROOT, KEEP, 0));
    print_line("to its group", call(CALL_CHOWN, at("file"), KEEP, ROOT, 0));
    print_line("of root", call(CALL_CHOWN, at("/"), user, KEEP, 0));
    print_line("lchown", call(CALL_LCHOWN, at("link"), user, group, 0));
    print_line("to root", call(CALL_LCHOWN, at("link"), ROOT, KEEP, 0));
    print_line("fchown", call(CALL_FCHOWN, (uint64_t)file, user, group, 0));
    print_line("to root", call(CALL_FCHOWN, (uint64_t)file, KEEP, ROOT, 0));
    print_line("fchownat", call6(CALL_FCHOWNAT, AT_FDCWD, at("file"), user, group, 0, 0));
    print_line("of the link", call6(CALL_FCHOWNAT, AT_FDCWD, at("link"), user, group, NOFOLLOW, 0));
    print_line("empty path", call6(CALL_FCHOWNAT, (uint64_t)file, at(""), user, group, EMPTY_PATH, 0));
    print_line("to root", call6(CALL_FCHOWNAT, AT_FDCWD, at("file"), ROOT, KEEP, 0, 0));
    print_line("wrong flags", call6(CALL_FCHOWNAT, AT_FDCWD, at("file"), user, group, 1, 0));
}

static void modes(int64_t file)
{
    set_mode(06755);
    print_status("mode", "file");
    print_line("chown", call(CALL_CHOWN, at("file"), KEEP, KEEP, 0));
    print_status("mode", "file");
    set_mode(06745);
    print_line("chown", call(CALL_CHOWN, at("file"), user, group, 0));
    print_status("mode", "file");
    set_mode(06755);
    print_line("write", write_text(file, "text"));
    print_status("mode", "file");
    set_mode(06755);
    print_line("write nothing", write_text(file, ""));
    print_status("mode", "file");
    set_mode(04755);
    print_line("ftruncate", call(CALL_FTRUNCATE, (uint64_t)file, 1, 0, 0));
    print_status("mode", "file");
    set_mode(04755);
    print_line("truncate", call(CALL_TRUNCATE, at("file"), 0, 0, 0));
    print_status("mode", "file");
    set_mode(04755);
    close_file(open_file("file", O_WRONLY | O_TRUNC, 0));
    print_status("opened", "file");
    set_mode(04755);
    print_line("fallocate", call(CALL_FALLOCATE, (uint64_t)file, 0, 0, 100));
    print_status("mode", "file");
    call(CALL_CHMOD, at("directory"), 07777, 0, 0);
    print_line("chown of a directory", call(CALL_CHOWN, at("directory"), user, group, 0));
    print_status("mode", "directory");
}

int owners(void)
{
    give_up_privileges();
    call(CALL_UMASK, 022, 0, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    user = (uint64_t)call(CALL_GETUID, 0, 0, 0, 0);
    group = (uint64_t)call(CALL_GETGID, 0, 0, 0, 0);
    int64_t file = open_file("file", O_RDWR | O_CREAT, 0600);
    call(CALL_SYMLINK, at("none"), at("link"), 0, 0);
    call(CALL_MKDIR, at("directory"), 0700, 0, 0);
    changes(file);
    modes(file);
    close_file(file);
    return leave_directory();
}
