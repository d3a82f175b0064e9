// SPDX-License-Identifier: Apache-2.0
//
// Each system call of files, and its errors. What it prints is the same on Linux.

#include "files.h"

static char buffer[8192];

enum { LOCK_SH = 1, LOCK_EX = 2, LOCK_NB = 4, LOCK_UN = 8 };

static void contents(void)
{
    int64_t file = open_file("a", O_RDWR | O_CREAT | O_EXCL, 0640);
    print_line("create", file >= 3);
    print_line("create again", open_file("a", O_RDWR | O_CREAT | O_EXCL, 0640));
    print_line("write", write_text(file, "hello, world"));
    print_line("position", call(CALL_LSEEK, (uint64_t)file, 0, 1, 0));
    print_line("set", call(CALL_LSEEK, (uint64_t)file, 7, 0, 0));
    print_line("read", call(CALL_READ, (uint64_t)file, (uint64_t)buffer, 100, 0));
    print_line("first", buffer[0]);
    print_line("at the end", call(CALL_READ, (uint64_t)file, (uint64_t)buffer, 100, 0));
    print_line("end", call(CALL_LSEEK, (uint64_t)file, (uint64_t)-2, 2, 0));
    print_line("before the start", call(CALL_LSEEK, (uint64_t)file, (uint64_t)-200, 2, 0));
    print_line("no origin", call(CALL_LSEEK, (uint64_t)file, 0, 9, 0));
    print_line("pwrite", call(CALL_PWRITE64, (uint64_t)file, (uint64_t)"XY", 2, 10000));
    print_line("pread", call(CALL_PREAD64, (uint64_t)file, (uint64_t)buffer, 4, 9998));
    print_line("hole", buffer[0] + buffer[1]);
    print_line("after the hole", buffer[2]);
    print_line("negative", call(CALL_PREAD64, (uint64_t)file, (uint64_t)buffer, 4, (uint64_t)-1));
    print_line("data", call(CALL_LSEEK, (uint64_t)file, 0, 3, 0));
    print_line("no data", call(CALL_LSEEK, (uint64_t)file, 20000, 3, 0));
    print_line("truncate", call(CALL_FTRUNCATE, (uint64_t)file, 5, 0, 0));
    print_line("extend", call(CALL_FTRUNCATE, (uint64_t)file, 9000, 0, 0));
    print_line("pread of zeroes", call(CALL_PREAD64, (uint64_t)file, (uint64_t)buffer, 100, 0));
    print_line("kept", buffer[4]);
    print_line("cleared", buffer[5]);
    print_line("negative size", call(CALL_FTRUNCATE, (uint64_t)file, (uint64_t)-1, 0, 0));
    print_line("readable", call(CALL_IOCTL, (uint64_t)file, 0x541B, (uint64_t)buffer, 0));
    print_line("allocate", call(CALL_FALLOCATE, (uint64_t)file, 0, 0, 10000));
    print_line("punch", call(CALL_FALLOCATE, (uint64_t)file, 3, 0, 4096));
    print_line("allocate nothing", call(CALL_FALLOCATE, (uint64_t)file, 0, 0, 0));
    print_line("sync", call(CALL_FSYNC, (uint64_t)file, 0, 0, 0));
    print_line("terminal", call(CALL_IOCTL, (uint64_t)file, 0x5401, (uint64_t)buffer, 0));
    print_status("a", "a");
    print_line("close", close_file(file));
    print_line("close again", close_file(file));

    file = open_file("a", O_RDONLY, 0);
    print_line("write to a file for reading", write_text(file, "x"));
    print_line("truncate a file for reading", call(CALL_FTRUNCATE, (uint64_t)file, 0, 0, 0));
    close_file(file);
    file = open_file("a", O_WRONLY | O_APPEND, 0);
    print_line("read from a file for writing", call(CALL_READ, (uint64_t)file, (uint64_t)buffer, 1, 0));
    call(CALL_LSEEK, (uint64_t)file, 0, 0, 0);
    write_text(file, "end");
    print_line("appended at", call(CALL_LSEEK, (uint64_t)file, 0, 1, 0));
    close_file(file);
    file = open_file("a", O_WRONLY | O_TRUNC, 0);
    print_status("truncated", "a");
    const uint64_t vectors[] = { (uint64_t)"one", 3, (uint64_t)"", 0, (uint64_t)"three", 5 };
    print_line("vectors", call(CALL_WRITEV, (uint64_t)file, (uint64_t)vectors, 3, 0));
    print_line("vectors with flags", call6(328, (uint64_t)file, (uint64_t)vectors, 1, 0, 0, 1));
    print_line("vectors with wrong flags", call6(328, (uint64_t)file, (uint64_t)vectors, 1, 0, 0, 1 << 20));
    print_line("too many vectors", call(CALL_WRITEV, (uint64_t)file, (uint64_t)vectors, 2000, 0));
    print_status("written", "a");
    close_file(file);
    print_line("truncate by path", call(CALL_TRUNCATE, (uint64_t)"a", 4, 0, 0));
    print_line("truncate a directory", call(CALL_TRUNCATE, (uint64_t)".", 4, 0, 0));
    print_line("truncate nothing", call(CALL_TRUNCATE, (uint64_t)"none", 4, 0, 0));
}

static void paths(void)
{
    static char name[5000];
    for (size_t i = 0; i < sizeof name - 1; i++) {
        name[i] = 'n';
    }
    print_line("mkdir", call(CALL_MKDIR, (uint64_t)"d", 0755, 0, 0));
    print_line("mkdir with a slash", call(CALL_MKDIR, (uint64_t)"d/e/", 0755, 0, 0));
    print_line("mkdir again", call(CALL_MKDIR, (uint64_t)"d", 0755, 0, 0));
    print_line("mkdir below nothing", call(CALL_MKDIR, (uint64_t)"none/e", 0755, 0, 0));
    print_line("mkdir below a file", call(CALL_MKDIR, (uint64_t)"a/e", 0755, 0, 0));
    print_line("mkdir of the root", call(CALL_MKDIR, (uint64_t)"/", 0755, 0, 0));
    print_line("mkdir of dots", call(CALL_MKDIR, (uint64_t)"d/..", 0755, 0, 0));
    print_line("empty path", open_file("", O_RDONLY, 0));
    print_line("long path", open_file(name, O_RDONLY, 0));
    name[300] = 0;
    print_line("long name", open_file(name, O_RDONLY, 0));
    name[255] = 0;
    print_line("longest name", open_file(name, O_RDONLY, 0));
    print_line("nothing", open_file("none", O_RDONLY, 0));
    print_line("file with a slash", open_file("a/", O_RDONLY, 0));
    print_line("new file with a slash", open_file("new/", O_RDWR | O_CREAT, 0600));
    print_line("directory for writing", open_file("d", O_WRONLY, 0));
    print_line("directory to create", open_file("d", O_RDONLY | O_CREAT, 0600));
    print_line("file as a directory", open_file("a", O_RDONLY | O_DIRECTORY, 0));
    print_line("through slashes and dots", close_file(open_file(".//d/./e/../..//a", O_RDONLY, 0)));
    print_line("above the root", close_file(open_file("/../../tmp/..", O_RDONLY | O_DIRECTORY, 0)));
    int64_t directory = open_file("d", O_RDONLY | O_DIRECTORY, 0);
    print_line("read of a directory", call(CALL_READ, (uint64_t)directory, (uint64_t)buffer, 10, 0));
    print_line("relative to it", close_file(call(CALL_OPENAT, (uint64_t)directory, (uint64_t)"../a", O_RDONLY, 0)));
    print_line("relative to nothing", call(CALL_OPENAT, 500, (uint64_t)"a", O_RDONLY, 0));
    print_line("relative to a stream", call(CALL_OPENAT, 1, (uint64_t)"a", O_RDONLY, 0));
    print_line("small buffer", call(CALL_GETDENTS64, (uint64_t)directory, (uint64_t)buffer, 10, 0));
    print_line("entries of a stream", call(CALL_GETDENTS64, 1, (uint64_t)buffer, 1000, 0));
    print_line("enter by descriptor", call(CALL_FCHDIR, (uint64_t)directory, 0, 0, 0));
    print_status("from there", "../a");
    print_line("leave", call(CALL_CHDIR, (uint64_t)"..", 0, 0, 0));
    print_line("enter a file", call(CALL_CHDIR, (uint64_t)"a", 0, 0, 0));
    print_line("enter nothing", call(CALL_CHDIR, (uint64_t)"none", 0, 0, 0));
    print_line("small working directory", call(CALL_GETCWD, (uint64_t)buffer, 3, 0, 0));
    print_line("working directory", call(CALL_GETCWD, (uint64_t)buffer, sizeof buffer, 0, 0) > 10);
    print_line("remove a full directory", call(CALL_RMDIR, (uint64_t)"d", 0, 0, 0));
    print_line("remove a file as one", call(CALL_RMDIR, (uint64_t)"a", 0, 0, 0));
    print_line("remove dot", call(CALL_RMDIR, (uint64_t)"d/.", 0, 0, 0));
    print_line("remove dots", call(CALL_RMDIR, (uint64_t)"d/..", 0, 0, 0));
    print_line("unlink a directory", call(CALL_UNLINK, (uint64_t)"d", 0, 0, 0));
    print_line("unlink nothing", call(CALL_UNLINK, (uint64_t)"none", 0, 0, 0));
    print_line("unlink at", call(CALL_UNLINKAT, (uint64_t)directory, (uint64_t)"e", 0x200, 0));
    print_line("rmdir", call(CALL_RMDIR, (uint64_t)"d", 0, 0, 0));
    print_line("file in what was removed", call(CALL_OPENAT, (uint64_t)directory, (uint64_t)"f", O_CREAT | O_RDWR, 0600));
    close_file(directory);
}

static void links(void)
{
    print_line("symlink", call(CALL_SYMLINK, (uint64_t)"a", (uint64_t)"s", 0, 0));
    print_line("symlink again", call(CALL_SYMLINK, (uint64_t)"a", (uint64_t)"s", 0, 0));
    print_line("empty target", call(CALL_SYMLINK, (uint64_t)"", (uint64_t)"t", 0, 0));
    print_status("link", "s");
    print_line("readlink", call(CALL_READLINK, (uint64_t)"s", (uint64_t)buffer, sizeof buffer, 0));
    print_line("target", buffer[0]);
    print_line("readlink of a file", call(CALL_READLINK, (uint64_t)"a", (uint64_t)buffer, sizeof buffer, 0));
    print_line("no size", call(CALL_READLINK, (uint64_t)"s", (uint64_t)buffer, 0, 0));
    print_line("through the link", close_file(open_file("s", O_RDONLY, 0)));
    print_line("not through the link", open_file("s", O_RDONLY | O_NOFOLLOW, 0));
    int64_t path = open_file("s", O_PATH | O_NOFOLLOW, 0);
    print_line("link by its path", path >= 0);
    print_line("readlink of a descriptor", call(CALL_READLINKAT, (uint64_t)path, (uint64_t)"", (uint64_t)buffer, 100));
    print_line("read of a path", call(CALL_READ, (uint64_t)path, (uint64_t)buffer, 1, 0));
    print_line("access mode of a path", call(CALL_FCHMOD, (uint64_t)path, 0600, 0, 0));
    close_file(path);
    print_line("exclusive on a link", open_file("s", O_RDWR | O_CREAT | O_EXCL, 0600));
    call(CALL_SYMLINK, (uint64_t)"loop", (uint64_t)"loop", 0, 0);
    print_line("loop", open_file("loop", O_RDONLY, 0));
    call(CALL_SYMLINK, (uint64_t)"target", (uint64_t)"dangling", 0, 0);
    print_line("dangling", open_file("dangling", O_RDONLY, 0));
    print_line("create through it", close_file(open_file("dangling", O_RDWR | O_CREAT, 0600)));
    print_status("what it created", "target");
    print_line("link", call(CALL_LINK, (uint64_t)"a", (uint64_t)"h", 0, 0));
    print_line("link again", call(CALL_LINK, (uint64_t)"a", (uint64_t)"h", 0, 0));
    print_line("link of a directory", call(CALL_LINK, (uint64_t)".", (uint64_t)"i", 0, 0));
    print_line("link of nothing", call(CALL_LINK, (uint64_t)"none", (uint64_t)"i", 0, 0));
    print_status("two names", "h");
    print_line("rename to the same", call(CALL_RENAME, (uint64_t)"a", (uint64_t)"h", 0, 0));
    print_status("still two", "a");
    print_line("unlink", call(CALL_UNLINK, (uint64_t)"h", 0, 0, 0));
    print_status("one name", "a");
    print_names(".");
}

static void renames(void)
{
    call(CALL_MKDIR, (uint64_t)"one", 0755, 0, 0);
    call(CALL_MKDIR, (uint64_t)"one/inner", 0755, 0, 0);
    call(CALL_MKDIR, (uint64_t)"two", 0755, 0, 0);
    print_line("rename", call(CALL_RENAME, (uint64_t)"a", (uint64_t)"one/b", 0, 0));
    print_line("rename nothing", call(CALL_RENAME, (uint64_t)"a", (uint64_t)"one/b", 0, 0));
    print_line("into itself", call(CALL_RENAME, (uint64_t)"one", (uint64_t)"one/inner/x", 0, 0));
    print_line("over what is full", call(CALL_RENAME, (uint64_t)"two", (uint64_t)"one", 0, 0));
    print_line("file over directory", call(CALL_RENAME, (uint64_t)"one/b", (uint64_t)"two", 0, 0));
    print_line("directory over file", call(CALL_RENAME, (uint64_t)"two", (uint64_t)"one/b", 0, 0));
    print_line("over an empty one", call(CALL_RENAME, (uint64_t)"one", (uint64_t)"two", 0, 0));
    print_status("moved", "two/b");
    print_line("parent", close_file(open_file("two/inner/../b", O_RDONLY, 0)));
    print_line("not over", call(CALL_RENAMEAT2, AT_FDCWD, (uint64_t)"two/b", AT_FDCWD, (uint64_t)"s"));
    print_line("exclusive", call6(CALL_RENAMEAT2, AT_FDCWD, (uint64_t)"two", AT_FDCWD, (uint64_t)"s", 1, 0));
    print_line("exchange", call6(CALL_RENAMEAT2, AT_FDCWD, (uint64_t)"two", AT_FDCWD, (uint64_t)"s", 2, 0));
    print_line("both flags", call6(CALL_RENAMEAT2, AT_FDCWD, (uint64_t)"two", AT_FDCWD, (uint64_t)"s", 3, 0));
    print_names("s");
    print_names(".");
    print_line("dot", call(CALL_RENAME, (uint64_t)".", (uint64_t)"x", 0, 0));
}

static void attributes(void)
{
    int64_t file = open_file("m", O_RDWR | O_CREAT, 0666);
    print_status("with umask", "m");
    print_line("umask", call(CALL_UMASK, 077, 0, 0, 0));
    close_file(open_file("n", O_RDWR | O_CREAT, 0666));
    print_status("with another", "n");
    print_line("umask again", call(CALL_UMASK, 022, 0, 0, 0));
    print_line("chmod", call(CALL_CHMOD, (uint64_t)"m", 0741, 0, 0));
    print_line("fchmod", call(CALL_FCHMOD, (uint64_t)file, 04755, 0, 0));
    print_status("changed", "m");
    print_line("access", call(CALL_ACCESS, (uint64_t)"m", 7, 0, 0));
    print_line("no access", call(CALL_ACCESS, (uint64_t)"n", 1, 0, 0));
    print_line("access of nothing", call(CALL_ACCESS, (uint64_t)"none", 0, 0, 0));
    print_line("wrong access", call(CALL_ACCESS, (uint64_t)"m", 8, 0, 0));
    print_line("access at", call(CALL_FACCESSAT, AT_FDCWD, (uint64_t)"m", 4, 0));
    print_line("access with flags", call(CALL_FACCESSAT2, AT_FDCWD, (uint64_t)"s", 0, 0x100));
    const int64_t times[] = { 1000, 5, 2000, 7 };
    struct status status;
    print_line("times", call(CALL_UTIMENSAT, AT_FDCWD, (uint64_t)"m", (uint64_t)times, 0));
    call(CALL_FSTAT, (uint64_t)file, (uint64_t)&status, 0, 0);
    print_line("accessed", status.times[0] * 10 + status.times[1]);
    print_line("modified", status.times[2] * 10 + status.times[3]);
    const int64_t wrong[] = { 0, 1000000000, 0, 0 };
    print_line("wrong times", call(CALL_UTIMENSAT, AT_FDCWD, (uint64_t)"m", (uint64_t)wrong, 0));
    call(CALL_STAT, (uint64_t)"n", (uint64_t)&status, 0, 0);
    uint64_t inode = status.inode;
    call(CALL_RENAME, (uint64_t)"n", (uint64_t)"o", 0, 0);
    call(CALL_STAT, (uint64_t)"o", (uint64_t)&status, 0, 0);
    print_line("same inode", inode == status.inode);
    print_line("recent", status.times[2] > 1600000000);
    uint32_t extended[64];
    print_line("statx", call6(CALL_STATX, AT_FDCWD, (uint64_t)"m", 0, 0x7FF, (uint64_t)extended, 0));
    print_line("mode", extended[7] & 0xFFFF);
    print_line("statx of a descriptor", call6(CALL_STATX, (uint64_t)file, (uint64_t)"", 0x1000, 0x7FF, (uint64_t)extended, 0));
    print_line("statx with wrong flags", call6(CALL_STATX, AT_FDCWD, (uint64_t)"m", 0x80000, 0x7FF, (uint64_t)extended, 0));
    print_line("stat of a descriptor", call(CALL_NEWFSTATAT, (uint64_t)file, (uint64_t)"", (uint64_t)&status, 0x1000));
    print_line("stat of a stream", call(CALL_FSTAT, 1, (uint64_t)&status, 0, 0));
    close_file(file);
}

static void descriptors(void)
{
    int64_t file = open_file("q", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    print_line("flags", call(CALL_FCNTL, (uint64_t)file, 1, 0, 0));
    int64_t copy = call(CALL_DUP, (uint64_t)file, 0, 0, 0);
    print_line("next", copy - file);
    print_line("flags of the copy", call(CALL_FCNTL, (uint64_t)copy, 1, 0, 0));
    write_text(copy, "shared");
    print_line("shared position", call(CALL_LSEEK, (uint64_t)file, 0, 1, 0));
    print_line("dup2", call(CALL_DUP2, (uint64_t)file, 100, 0, 0));
    print_line("dup2 to itself", call(CALL_DUP2, 100, 100, 0, 0));
    print_line("dup2 of nothing", call(CALL_DUP2, 99, 98, 0, 0));
    print_line("dup2 too far", call(CALL_DUP2, 100, 1U << 30, 0, 0));
    print_line("dup3 to itself", call(CALL_DUP3, 100, 100, 0, 0));
    print_line("dup3", call(CALL_DUP3, 100, 101, O_CLOEXEC, 0));
    print_line("dup3 flags", call(CALL_FCNTL, 101, 1, 0, 0));
    print_line("from 200 on", call(CALL_FCNTL, 101, 0, 200, 0));
    print_line("from too far on", call(CALL_FCNTL, 101, 0, 1UL << 31, 0));
    print_line("status flags", call(CALL_FCNTL, 101, 3, 0, 0) & 3);
    print_line("set status flags", call(CALL_FCNTL, 101, 4, O_APPEND | O_NONBLOCK, 0));
    print_line("shared flags", call(CALL_FCNTL, 100, 3, 0, 0) & (O_APPEND | O_NONBLOCK));
    const int16_t lock[16] = { 1 };
    print_line("lock", call(CALL_FCNTL, 101, 6, (uint64_t)lock, 0));
    print_line("no command", call(CALL_FCNTL, 101, 9999, 0, 0));
    print_line("flock", call(CALL_FLOCK, 101, 2, 0, 0));
    print_line("no flock", call(CALL_FLOCK, 101, 77, 0, 0));
    print_line("close range", call(CALL_CLOSE_RANGE, 100, 300, 0, 0));
    print_line("closed", close_file(200));
    print_line("wrong range", call(CALL_CLOSE_RANGE, 5, 4, 0, 0));
    int64_t memory = call(CALL_MEMFD_CREATE, (uint64_t)"memory", 0, 0, 0);
    print_line("memory", write_text(memory, "0123456789"));
    uint64_t position = 2;
    print_line("read ahead", call(187, (uint64_t)memory, 0, 100, 0));
    print_line("read ahead of a pipe", call(187, 0, 0, 100, 0));
    print_line("sync range", call(277, (uint64_t)memory, 0, 100, 2));
    print_line("sync all of nothing", call(306, 99, 0, 0, 0));
    print_line("advice", call(221, (uint64_t)memory, 0, 100, 1));
    print_line("wrong advice", call(221, (uint64_t)memory, 0, 100, 99));
    print_line("advice for a pipe", call(221, 0, 0, 100, 1));
    print_line("send", call(CALL_SENDFILE, (uint64_t)copy, (uint64_t)memory, (uint64_t)&position, 100));
    print_line("position", (int64_t)position);
    print_line("copy", call6(CALL_COPY_FILE_RANGE, (uint64_t)memory, (uint64_t)&position, (uint64_t)copy, 0, 10, 0));
    position = 0;
    print_line("copy from the start", call6(CALL_COPY_FILE_RANGE, (uint64_t)memory, (uint64_t)&position, (uint64_t)file, 0, 4, 0));
    print_line("wrong memory", call(CALL_MEMFD_CREATE, (uint64_t)"memory", 0x1000, 0, 0));
    // Some file systems have no files without a name.
    struct status status;
    int64_t temporary = open_file(".", O_RDWR | O_TMPFILE, 0600);
    int is_usable = write_text(temporary, "none") == 4 && call(CALL_FSTAT, (uint64_t)temporary, (uint64_t)&status, 0, 0) == 0;
    print_line("temporary", temporary < 0 || (is_usable && status.links == 0));
    print_line("unlink", call(CALL_UNLINK, (uint64_t)"q", 0, 0, 0));
    print_line("still there", call(CALL_PREAD64, (uint64_t)file, (uint64_t)buffer, 100, 0));
    call(CALL_FSTAT, (uint64_t)file, (uint64_t)&status, 0, 0);
    print_line("no links", (int64_t)status.links);
    close_file(temporary);
    close_file(memory);
    close_file(copy);
    close_file(file);
}

static int64_t lock(int64_t file, uint64_t operation)
{
    return call(CALL_FLOCK, (uint64_t)file, operation, 0, 0);
}

static void wait_for_lock(uint64_t file)
{
    print_line("waited", lock((int64_t)file, LOCK_EX));
    lock((int64_t)file, LOCK_UN);
}

static void locks(void)
{
    static uint64_t stack[1024];
    static volatile uint32_t identifier;
    const int64_t time[2] = { 0, 20000000 };
    int64_t one = open_file("locked", O_RDWR | O_CREAT, 0600);
    int64_t two = open_file("locked", O_RDONLY, 0);
    int64_t copy = call(CALL_DUP, (uint64_t)one, 0, 0, 0);
    print_line("shared", lock(one, LOCK_SH));
    print_line("shared too", lock(two, LOCK_SH | LOCK_NB));
    print_line("not exclusive", lock(two, LOCK_EX | LOCK_NB));
    print_line("lost", lock(one, LOCK_EX | LOCK_NB));
    print_line("again", lock(copy, LOCK_EX | LOCK_NB));
    print_line("not shared", lock(two, LOCK_SH | LOCK_NB));
    close_file(one);
    print_line("still not", lock(two, LOCK_EX | LOCK_NB));
    print_line("less", lock(copy, LOCK_SH));
    print_line("shared again", lock(two, LOCK_SH | LOCK_NB));
    close_file(copy);
    print_line("alone", lock(two, LOCK_EX | LOCK_NB));
    print_line("without a lock", lock(two, LOCK_UN) + lock(two, LOCK_UN));
    one = open_file("locked", O_WRONLY, 0);
    print_line("for the thread", lock(one, LOCK_EX));
    start_thread((uint64_t)wait_for_lock, (uint64_t)two, (uint64_t)(stack + 1024), &identifier);
    call(35, (uint64_t)time, 0, 0, 0);
    print("unlocks\n");
    lock(one, LOCK_UN);
    join_thread(&identifier);
    close_file(one);
    close_file(two);
    call(CALL_UNLINK, (uint64_t)"locked", 0, 0, 0);
}

int file_calls(void)
{
    call(CALL_UMASK, 022, 0, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    contents();
    paths();
    links();
    renames();
    attributes();
    descriptors();
    locks();
    print_names(".");
    return leave_directory();
}
