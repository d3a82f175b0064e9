// SPDX-License-Identifier: Apache-2.0
//
// Changes in directories of the host.

#include "files.h"

#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_SHARED 1
#define MAP_PRIVATE 2
#define OPEN_FILES 300

static uint8_t bytes[100000];

static int64_t with_path(uint64_t number, const char *path, uint64_t argument)
{
    return call(number, (uint64_t)path, argument, 0, 0);
}

static int64_t with_paths(uint64_t number, const char *path, const char *other)
{
    return call(number, (uint64_t)path, (uint64_t)other, 0, 0);
}

static int64_t rename_with(const char *path, const char *other, uint64_t flags)
{
    return call6(CALL_RENAMEAT2, AT_FDCWD, (uint64_t)path, AT_FDCWD, (uint64_t)other, flags, 0);
}

static int64_t create(const char *path, const char *text)
{
    int64_t file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    int64_t result = file < 0 ? file : write_text(file, text);
    close_file(file);
    return result;
}

static void print_times(const char *path)
{
    struct status status;
    print_line("status", with_path(CALL_STAT, path, (uint64_t)&status));
    print_line("accessed", status.times[0]);
    print_line("modified", status.times[2]);
    print_line("nanoseconds", status.times[3]);
}

static void print_sum(const char *name, int64_t file, uint64_t offset)
{
    int64_t count = call(CALL_PREAD64, (uint64_t)file, (uint64_t)bytes, sizeof bytes, offset);
    uint64_t sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum = sum * 31 + bytes[i];
    }
    print(name);
    print(" ");
    print_number(count);
    print_line("", (int64_t)(sum & 0xFFFFFFFF));
}

static void change_contents(void)
{
    int64_t file = open_file("new", O_RDWR | O_CREAT | O_EXCL, 0640);
    print_line("created", file >= 0);
    print_line("exclusive", open_file("new", O_RDWR | O_CREAT | O_EXCL, 0640));
    print_line("hello", write_text(file, "hello"));
    int64_t appending = open_file("new", O_WRONLY | O_APPEND, 0);
    print_line("append", write_text(appending, " more"));
    print_line("append at", call(CALL_PWRITE64, (uint64_t)appending, (uint64_t)" text", 5, 0));
    print_line("position", call(CALL_LSEEK, (uint64_t)appending, 0, 1, 0));
    print_line("read by a writer", call(CALL_READ, (uint64_t)appending, (uint64_t)bytes, 1, 0));
    print_line("behind", call(CALL_PWRITE64, (uint64_t)file, (uint64_t)"end", 3, 70000));
    print_sum("with a hole", file, 0);
    print_line("shorter", call(CALL_FTRUNCATE, (uint64_t)file, 8, 0, 0));
    print_line("longer", call(CALL_FTRUNCATE, (uint64_t)file, 5000, 0, 0));
    print_sum("resized", file, 0);
    print_line("negative", call(CALL_FTRUNCATE, (uint64_t)file, (uint64_t)-1, 0, 0));
    print_line("bad address", call(CALL_WRITE, (uint64_t)file, 8, 10, 0));
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
    print_line("large", call(CALL_WRITE, (uint64_t)file, (uint64_t)bytes, sizeof bytes, 0));
    print_sum("large", file, 3);
    print_line("synchronized", call(CALL_FSYNC, (uint64_t)file, 0, 0, 0));
    print_line("data", call(75, (uint64_t)file, 0, 0, 0));
    close_file(file);
    close_file(appending);
    print_status("new", "new");
    print_line("by path", with_path(CALL_TRUNCATE, "new", 20000));
    print_status("new", "new");
    print_line("truncated", close_file(open_file("new", O_WRONLY | O_TRUNC, 0)));
    print_status("new", "new");
    print_line("again", create("new", "text"));
}

static void change_existing(void)
{
    int64_t file = open_file("existing", O_RDWR, 0);
    print_sum("existing", file, 0);
    print_line("changed", call(CALL_PWRITE64, (uint64_t)file, (uint64_t)"changed", 7, 4990));
    print_sum("existing", file, 0);
    int64_t copy = open_file("copy", O_RDWR | O_CREAT, 0600);
    print_line("sent", call(CALL_SENDFILE, (uint64_t)copy, (uint64_t)file, 0, 3000));
    print_line("copied", call6(CALL_COPY_FILE_RANGE, (uint64_t)file, 0, (uint64_t)copy, 0, 100000, 0));
    print_sum("copy", copy, 0);
    int64_t address = call6(CALL_MMAP, 0, 4096, PROT_READ, MAP_PRIVATE, (uint64_t)copy, 0);
    print_line("mapped", address > 0 && *(const uint8_t *)address != 0);
    call(CALL_MUNMAP, (uint64_t)address, 4096, 0, 0);
    close_file(file);
    close_file(copy);
}

static void change_names(void)
{
    print_line("directory", with_path(CALL_MKDIR, "sub", 0777));
    print_line("directory again", with_path(CALL_MKDIR, "sub", 0777));
    print_line("file", create("sub/file", "in sub"));
    print_line("not empty", with_path(CALL_RMDIR, "sub", 0));
    print_line("not a directory", with_path(CALL_RMDIR, "new", 0));
    print_line("a directory", with_path(CALL_UNLINK, "sub", 0));
    print_line("into itself", with_paths(CALL_RENAME, "sub", "sub/in"));
    print_line("over a file", with_paths(CALL_RENAME, "sub", "new"));
    print_line("over a directory", with_paths(CALL_RENAME, "new", "sub"));
    print_line("moved", with_paths(CALL_RENAME, "sub", "moved"));
    print_line("in the moved one", create("moved/other", "text"));
    print_line("replaced", with_paths(CALL_RENAME, "moved/file", "new"));
    print_line("not replaced", rename_with("moved/other", "new", RENAME_NOREPLACE));
    print_line("exchanged", rename_with("moved/other", "new", RENAME_EXCHANGE));
    print_line("exchanged with none", rename_with("moved/other", "none", RENAME_EXCHANGE));
    print_line("no name", with_paths(CALL_RENAME, "none", "other"));
    print_line("no parent", create("none/file", ""));
    print_line("no directory", create("new/file", ""));
    print_line("empty", with_path(CALL_MKDIR, "empty", 0755));
    print_line("replaced directory", with_path(CALL_MKDIR, "target", 0755));
    print_line("replaced", with_paths(CALL_RENAME, "empty", "target"));
    print_line("nested", with_path(CALL_MKDIR, "target/a", 0700));
    print_line("nested", with_path(CALL_MKDIR, "target/a/b", 0700));
    print_line("deep", create("target/a/b/c", "deep"));
    print_line("renamed above", with_paths(CALL_RENAME, "target/a", "moved/a"));
    print_line("deeper", create("moved/a/b/d", "deeper"));
    print_line("removed", with_path(CALL_UNLINK, "moved/a/b/c", 0));
    print_line("removed again", with_path(CALL_UNLINK, "moved/a/b/c", 0));
    print_names("moved/a/b");
    print_names(".");
}

static void remove_in_use(void)
{
    static char name[257];
    int64_t file = open_file("gone", O_RDWR | O_CREAT, 0644);
    struct status status;
    print_line("text", write_text(file, "text"));
    print_line("removed", with_path(CALL_UNLINK, "gone", 0));
    print_line("written", write_text(file, " after"));
    print_sum("gone", file, 0);
    call(CALL_FSTAT, (uint64_t)file, (uint64_t)&status, 0, 0);
    print_line("links", (int64_t)status.links);
    print_line("synchronized", call(CALL_FSYNC, (uint64_t)file, 0, 0, 0));
    close_file(file);
    int64_t replaced = open_file("replaced", O_RDWR | O_CREAT, 0644);
    create("replacing", "replacing");
    print_line("replaced", with_paths(CALL_RENAME, "replacing", "replaced"));
    print_line("written", write_text(replaced, "nowhere"));
    close_file(replaced);
    print_status("replaced", "replaced");
    call(CALL_MKDIR, (uint64_t)"left", 0755, 0, 0);
    call(CALL_CHDIR, (uint64_t)"left", 0, 0, 0);
    print_line("removed", with_path(CALL_RMDIR, "../left", 0));
    print_line("in a removed one", create("file", ""));
    print_line("directory in a removed one", with_path(CALL_MKDIR, "sub", 0755));
    call(CALL_CHDIR, (uint64_t)"..", 0, 0, 0);
    for (size_t i = 0; i < sizeof name - 1; i++) {
        name[i] = 'n';
    }
    print_line("long name", create(name, ""));
    name[255] = 0;
    print_line("longest name", create(name, "long"));
}

static void change_attributes(void)
{
    static const int64_t times[4] = { 1000000000, 5000, 1200000000, 600 };
    static const int64_t one_time[4] = { 0, (1L << 30) - 2, 1300000000, 0 };
    print_line("mode", with_path(CALL_CHMOD, "existing", 0750));
    print_status("existing", "existing");
    print_line("times", call(CALL_UTIMENSAT, AT_FDCWD, (uint64_t)"existing", (uint64_t)times, 0));
    print_times("existing");
    print_line("one time", call(CALL_UTIMENSAT, AT_FDCWD, (uint64_t)"existing", (uint64_t)one_time, 0));
    print_times("existing");
    print_line("directory", with_path(CALL_CHMOD, "moved", 0700));
    print_line("times", call(CALL_UTIMENSAT, AT_FDCWD, (uint64_t)"moved", (uint64_t)times, 0));
    print_status("moved", "moved");
    int64_t directory = open_file(".", O_RDONLY | O_DIRECTORY, 0);
    print_line("synchronized", call(CALL_FSYNC, (uint64_t)directory, 0, 0, 0));
    close_file(directory);
}

static int change_all(const char *directory)
{
    call(CALL_UMASK, 022, 0, 0, 0);
    print_line("directory", with_path(CALL_CHDIR, directory, 0));
    change_contents();
    change_existing();
    change_names();
    remove_in_use();
    change_attributes();
    return 0;
}

// What directories of the host do not do. The arguments: one that may be changed,
// another, and one that may be read.
static int refused(const struct start *start)
{
    const char *other = start->arguments[3];
    static char path[64];
    struct status status;
    call(CALL_UMASK, 0, 0, 0, 0);
    call(CALL_CHDIR, (uint64_t)start->arguments[2], 0, 0, 0);
    print_line("file", create("file", "text"));
    print_line("link", with_paths(CALL_LINK, "file", "link"));
    print_line("symbolic link", with_paths(CALL_SYMLINK, "file", "link"));
    print_line("link from elsewhere", with_paths(CALL_LINK, "/program.elf", "link"));
    print_line("link to elsewhere", with_paths(CALL_LINK, "file", "/tmp/link"));
    print_line("pipe", call(133, (uint64_t)"pipe", 0010644, 0, 0));
    print_line("temporary", open_file(".", O_TMPFILE | O_RDWR, 0600));
    print_line("to elsewhere", with_paths(CALL_RENAME, "file", "/tmp/file"));
    print_line("from elsewhere", with_paths(CALL_RENAME, "/program.elf", "file"));
    path[0] = 0;
    for (size_t i = 0; i <= length(other); i++) {
        path[i] = other[i];
    }
    const char *name = "/file";
    for (size_t i = 0, end = length(path); i <= length(name); i++) {
        path[end + i] = name[i];
    }
    print_line("to another one", with_paths(CALL_RENAME, "file", path));
    print_line("link to another one", with_paths(CALL_LINK, "file", path));
    print_line("directory itself", with_path(CALL_RMDIR, start->arguments[2], 0));
    print_line("its mode", with_path(CALL_CHMOD, ".", 0777));
    int64_t file = open_file("file", O_RDWR, 0);
    print_line("shared", call6(CALL_MMAP, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (uint64_t)file, 0));
    int64_t address = call6(CALL_MMAP, 0, 4096, PROT_READ, MAP_SHARED, (uint64_t)file, 0);
    print_line("shared for reading", address > 0);
    print_line("writable afterwards", call(CALL_MPROTECT, (uint64_t)address, 4096, PROT_READ | PROT_WRITE, 0));
    write_text(file, "seen");
    print_line("seen", *(const uint8_t *)address);
    print_line("allocated", call(CALL_FALLOCATE, (uint64_t)file, 0, 0, 100));
    close_file(file);
    print_line("other user", close_file(open_file("special", O_CREAT | O_WRONLY, 06777)));
    with_path(CALL_STAT, "special", (uint64_t)&status);
    print_line("mode", status.mode);
    print_line("other user", with_path(CALL_CHMOD, "special", 07755));
    with_path(CALL_STAT, "special", (uint64_t)&status);
    print_line("mode", status.mode);
    print_line("without permissions", close_file(open_file("closed", O_CREAT | O_WRONLY, 0)));
    print_line("not readable", open_file("closed", O_RDONLY, 0));
    print_line("no text", create("\xFF", ""));
    call(CALL_CHDIR, (uint64_t)start->arguments[4], 0, 0, 0);
    print_line("only to be read", create("file", ""));
    print_line("only to be read", with_path(CALL_MKDIR, "sub", 0755));
    return 0;
}

// Until nothing more can be written, and then until nothing more can be created.
static int fill(const char *directory)
{
    char name[] = "file-000000";
    int64_t total = 0, result, count = 0;
    call(CALL_CHDIR, (uint64_t)directory, 0, 0, 0);
    int64_t file = open_file("large", O_RDWR | O_CREAT, 0644);
    while ((result = call(CALL_WRITE, (uint64_t)file, (uint64_t)bytes, 10000, 0)) > 0) {
        total += result;
    }
    print_line("written", total);
    print_line("then", result);
    print_line("longer", call(CALL_FTRUNCATE, (uint64_t)file, 1 << 20, 0, 0));
    print_line("shorter", call(CALL_FTRUNCATE, (uint64_t)file, 10, 0, 0));
    close_file(file);
    while (count < 100000) {
        for (int64_t rest = count, i = 10; i > 4; i--, rest /= 10) {
            name[i] = (char)('0' + rest % 10);
        }
        file = open_file(name, O_CREAT | O_WRONLY, 0644);
        if (file < 0) {
            break;
        }
        close_file(file);
        count++;
    }
    print_line("created", count);
    print_line("then", file);
    print_line("directory", with_path(CALL_MKDIR, "sub", 0755));
    return 0;
}

// Files that all stay open, and are written in turns.
static int keep_open(const char *directory)
{
    char name[] = "000";
    int64_t files[OPEN_FILES];
    int64_t opened = 0, written = 0;
    call(CALL_CHDIR, (uint64_t)directory, 0, 0, 0);
    for (int i = 0; i < OPEN_FILES; i++) {
        name[0] = (char)('0' + i / 100);
        name[1] = (char)('0' + i / 10 % 10);
        name[2] = (char)('0' + i % 10);
        files[i] = open_file(name, O_CREAT | O_RDWR, 0644);
        opened += files[i] >= 0;
    }
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < OPEN_FILES; i++) {
            written += write_text(files[i], "turn ");
        }
    }
    print_line("opened", opened);
    print_line("written", written);
    return 0;
}

// Lines in a file, without end.
static int append_lines(const char *directory)
{
    call(CALL_CHDIR, (uint64_t)directory, 0, 0, 0);
    int64_t file = open_file("lines", O_CREAT | O_WRONLY | O_APPEND, 0644);
    while (write_text(file, "0123456789ABCDE\n") == 16) {
    }
    return 1;
}

// Appends to a file when the standard input says so. A private page that the program has
// changed stays what it is.
static int append_when_told(const char *path)
{
    int64_t file = open_file(path, O_CREAT | O_RDWR | O_APPEND, 0644);
    volatile uint8_t *private =
        (volatile uint8_t *)call6(CALL_MMAP, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, (uint64_t)file, 0);
    print("opened\n");
    while (call(CALL_READ, 0, (uint64_t)bytes, 1, 0) == 1) {
        print_line("appended", write_text(file, "program\n"));
        print_line("private", private[0]);
        private[0] = 'p';
    }
    print_sum("contents", file, 0);
    return 0;
}

int host_changes(const char *name, const struct start *start)
{
    const char *directory = start->argument_count > 2 ? start->arguments[2] : "";
    if (equal(name, "host-changes")) {
        return change_all(directory);
    }
    if (equal(name, "host-sequence")) {
        return host_sequence(directory, parse_number(start->arguments[3]), parse_number(start->arguments[4]));
    }
    if (equal(name, "host-refused")) {
        return refused(start);
    }
    if (equal(name, "host-fill")) {
        return fill(directory);
    }
    if (equal(name, "host-open")) {
        return keep_open(directory);
    }
    if (equal(name, "host-lines")) {
        return append_lines(directory);
    }
    return equal(name, "host-append") ? append_when_told(directory) : -1;
}
