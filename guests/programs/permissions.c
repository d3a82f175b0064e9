// SPDX-License-Identifier: Apache-2.0
//
// Files and directories that the program may not use, and programs that cannot be executed.

#include "calls.h"

#define NO_ACCESS_TIME 01000000
// Without its zero.
#define MOST_ARGUMENT 131072

static char buffer[4096];

static int64_t execute(const char *path)
{
    const char *const arguments[] = { path, NULL };
    return call(CALL_EXECVE, at(path), at(arguments), 0, 0);
}

static void make_file(const char *path, const char *text, uint64_t mode)
{
    int64_t file = open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    write_text(file, text);
    close_file(file);
    call(CALL_CHMOD, at(path), mode, 0, 0);
}

static void files(void)
{
    make_file("nobody", "text", 0);
    make_file("reader", "text", 0400);
    make_file("writer", "text", 0200);
    print_line("open for nobody", open_file("nobody", O_RDONLY, 0));
    print_line("path for nobody", close_file(open_file("nobody", O_PATH, 0)));
    print_line("write to what is for reading", open_file("reader", O_RDWR, 0));
    print_line("cut what is for reading", open_file("reader", O_RDONLY | O_TRUNC, 0));
    print_line("create what is for reading", open_file("reader", O_WRONLY | O_CREAT, 0600));
    print_line("read what is for writing", open_file("writer", O_RDONLY, 0));
    print_line("write to it", close_file(open_file("writer", O_WRONLY, 0)));
    print_line("creat", call(CALL_CREAT, at("reader"), 0600, 0, 0));
    print_line("truncate", call(CALL_TRUNCATE, at("reader"), 0, 0, 0));
    print_line("access", call(CALL_ACCESS, at("reader"), 4, 0, 0));
    print_line("access", call(CALL_ACCESS, at("reader"), 2, 0, 0));
    print_line("access", call(CALL_ACCESS, at("nobody"), 0, 0, 0));
    print_line("read without its time", open_file("/", O_RDONLY | O_DIRECTORY | NO_ACCESS_TIME, 0));
    print_line("chmod", call(CALL_CHMOD, at("nobody"), 0600, 0, 0));
    print_line("open", close_file(open_file("nobody", O_RDWR, 0)));
    print_line("created for nobody", close_file(open_file("new", O_RDWR | O_CREAT | O_EXCL, 0)));
    print_line("again", open_file("new", O_RDWR, 0));
}

static void directories(void)
{
    call(CALL_MKDIR, at("fixed"), 0700, 0, 0);
    make_file("fixed/file", "text", 0600);
    call(CALL_MKDIR, at("fixed/inner"), 0700, 0, 0);
    call(CALL_CHMOD, at("fixed"), 0500, 0, 0);
    print_line("create", open_file("fixed/new", O_RDWR | O_CREAT, 0600));
    print_line("open", close_file(open_file("fixed/file", O_RDWR | O_CREAT, 0600)));
    print_line("mkdir", call(CALL_MKDIR, at("fixed/new"), 0700, 0, 0));
    print_line("mkdir of what is there", call(CALL_MKDIR, at("fixed/inner"), 0700, 0, 0));
    print_line("mknod", call(CALL_MKNOD, at("fixed/new"), 0600, 0, 0));
    print_line("symlink", call(CALL_SYMLINK, at("target"), at("fixed/new"), 0, 0));
    print_line("link", call(CALL_LINK, at("reader"), at("fixed/new"), 0, 0));
    print_line("link from there", call(CALL_LINK, at("fixed/file"), at("linked"), 0, 0));
    print_line("unlink", call(CALL_UNLINK, at("fixed/file"), 0, 0, 0));
    print_line("unlink of nothing", call(CALL_UNLINK, at("fixed/none"), 0, 0, 0));
    print_line("rmdir", call(CALL_RMDIR, at("fixed/inner"), 0, 0, 0));
    print_line("rename from there", call(CALL_RENAME, at("fixed/file"), at("moved"), 0, 0));
    print_line("rename to there", call(CALL_RENAME, at("reader"), at("fixed/moved"), 0, 0));
    print_line("rename over what is there", call(CALL_RENAME, at("reader"), at("fixed/file"), 0, 0));
    print_names("fixed");
    call(CALL_CHMOD, at("fixed"), 0300, 0, 0);
    print_line("open for reading", open_file("fixed", O_RDONLY | O_DIRECTORY, 0));
    print_line("open of a file", close_file(open_file("fixed/file", O_RDONLY, 0)));
    print_line("chdir", call(CALL_CHDIR, at("fixed"), 0, 0, 0));
    print_line("back", call(CALL_CHDIR, at(".."), 0, 0, 0));
    call(CALL_CHMOD, at("fixed"), 0600, 0, 0);
    print_line("chdir", call(CALL_CHDIR, at("fixed"), 0, 0, 0));
    int64_t directory = open_file("fixed", O_RDONLY | O_DIRECTORY, 0);
    print_line("fchdir", call(CALL_FCHDIR, (uint64_t)directory, 0, 0, 0));
    print_line("entries", call(CALL_GETDENTS64, (uint64_t)directory, at(buffer), sizeof buffer, 0) > 0);
    print_line("an entry", call(CALL_OPENAT, (uint64_t)directory, at("file"), O_RDONLY, 0));
    close_file(directory);
    call(CALL_CHMOD, at("fixed"), 0700, 0, 0);
}

// Root's, where all may create files, but not remove those of others.
static void of_others(void)
{
    print_line("create", open_file("/new", O_RDWR | O_CREAT, 0600));
    print_line("mkdir", call(CALL_MKDIR, at("/new"), 0700, 0, 0));
    print_line("rmdir", call(CALL_RMDIR, at("/tmp"), 0, 0, 0));
    print_line("rmdir of the root", call(CALL_RMDIR, at("/"), 0, 0, 0));
    print_line("unlink of the root", call(CALL_UNLINK, at("/"), 0, 0, 0));
    print_line("rename", call(CALL_RENAME, at("/tmp"), at("/new"), 0, 0));
    print_line("rename of the root", call(CALL_RENAME, at("/"), at("new"), 0, 0));
    print_line("rename to the root", call(CALL_RENAME, at("reader"), at("/"), 0, 0));
    print_line("chmod", call(CALL_CHMOD, at("/"), 0777, 0, 0));
    print_line("link of a directory", call(CALL_LINK, at("/tmp"), at("linked"), 0, 0));
}

static void programs(void)
{
    char *long_text = new_memory(MOST_ARGUMENT + 1);
    for (size_t i = 0; i < MOST_ARGUMENT; i++) {
        long_text[i] = 'x';
    }
    const char *const long_arguments[] = { long_text, NULL };
    const char *const bad_arguments[] = { (const char *)BAD_ADDRESS, NULL };
    make_file("empty", "", 0700);
    make_file("text", "nothing that can be executed", 0700);
    make_file("script", "#!none/interpreter\n", 0700);
    make_file("script of nothing", "#!\n", 0700);
    make_file("not executable", "#!none\n", 0600);
    make_file("other magic", "\177ELF", 0700);
    print_line("empty", execute("empty"));
    print_line("text", execute("text"));
    print_line("script", execute("script"));
    print_line("script of nothing", execute("script of nothing"));
    print_line("not executable", execute("not executable"));
    print_line("short", execute("other magic"));
    print_line("directory", execute("fixed"));
    print_line("long argument", call(CALL_EXECVE, at("text"), at(long_arguments), 0, 0));
    print_line("long variable", call(CALL_EXECVE, at("text"), 0, at(long_arguments), 0));
    print_line("bad argument", call(CALL_EXECVE, at("text"), at(bad_arguments), 0, 0));
    print_line("bad arguments", call(CALL_EXECVE, at("text"), BAD_ADDRESS, 0, 0));
    print_line("bad variables", call(CALL_EXECVE, at("text"), 0, BAD_ADDRESS, 0));
}

// A directory that has no name any more.
static void removed_directory(void)
{
    call(CALL_MKDIR, at("removed"), 0700, 0, 0);
    call(CALL_CHDIR, at("removed"), 0, 0, 0);
    int64_t directory = open_file(".", O_RDONLY | O_DIRECTORY, 0);
    print_line("remove", call(CALL_RMDIR, at("../removed"), 0, 0, 0));
    print_line("getcwd", call(CALL_GETCWD, at(buffer), sizeof buffer, 0, 0));
    print_line("entries", call(CALL_GETDENTS64, (uint64_t)directory, at(buffer), sizeof buffer, 0));
    print_line("create", open_file("new", O_RDWR | O_CREAT, 0600));
    print_line("mkdir", call(CALL_MKDIR, at("new"), 0700, 0, 0));
    print_line("itself", close_file(open_file(".", O_RDONLY, 0)));
    print_line("above", call(CALL_CHDIR, at(".."), 0, 0, 0));
    print_line("no space", call(CALL_GETCWD, at(buffer), 0, 0, 0));
    print_line("bad address", call(CALL_GETCWD, BAD_ADDRESS, sizeof buffer, 0, 0));
    close_file(directory);
    directory = open_file(".", O_RDONLY | O_DIRECTORY, 0);
    print_line("bad address", call(CALL_GETDENTS64, (uint64_t)directory, BAD_ADDRESS, sizeof buffer, 0));
    close_file(directory);
}

int permissions(void)
{
    give_up_privileges();
    call(CALL_UMASK, 022, 0, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    files();
    directories();
    of_others();
    programs();
    removed_directory();
    print_names(".");
    return leave_directory();
}
