// Memory of another process. KVM takes memory of the calling process only. A section of Wine is a file of its server that every
// view maps shared, so the file behind the other process's view is mapped here too: both are the same pages.
#include "memory.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define MAX_KNOWN 1024

// Processes of Windows, and what they are for Linux.
static struct known_process
{
    DWORD id;
    FILETIME created; // an identifier is used again
    pid_t pid;
} known[MAX_KNOWN];

static UINT32 known_count;
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;

static bool has_bytes(const char *pid, const void *address, const void *bytes, size_t size)
{
    char path[64], content[64];
    snprintf(path, sizeof path, "/proc/%.20s/mem", pid);
    int memory = open(path, O_RDONLY | O_CLOEXEC);
    if (memory < 0)
        return false;
    bool equal = pread(memory, content, size, (off_t)(UINT_PTR)address) == (ssize_t)size && !memcmp(content, bytes, size);
    close(memory);
    return equal;
}

// Wine does not say which process of Linux a process is. Random bytes are written to it, and looked for.
static pid_t search(HANDLE process)
{
    unsigned char token[32];
    pid_t found = 0;
    DIR *processes = NULL;
    void *page = VirtualAllocEx(process, NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (!page)
        return 0;
    if (getrandom(token, sizeof token, 0) == sizeof token && WriteProcessMemory(process, page, token, sizeof token, NULL))
        processes = opendir("/proc");
    for (struct dirent *entry; processes && !found && (entry = readdir(processes));)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && has_bytes(entry->d_name, page, token, sizeof token))
            found = atoi(entry->d_name);
    if (processes)
        closedir(processes);
    VirtualFreeEx(process, page, 0, MEM_RELEASE);
    return found;
}

static pid_t find_pid(HANDLE process)
{
    FILETIME created, other;
    DWORD id = GetProcessId(process);
    if (!id || !GetProcessTimes(process, &created, &other, &other, &other))
        return 0;
    pid_t pid = 0;
    pthread_mutex_lock(&known_lock);
    for (UINT32 i = 0; i < known_count && i < MAX_KNOWN && !pid; i++)
        if (known[i].id == id && !memcmp(&known[i].created, &created, sizeof created))
            pid = known[i].pid;
    if (!pid && (pid = search(process)))
        known[known_count++ % MAX_KNOWN] = (struct known_process){ id, created, pid };
    pthread_mutex_unlock(&known_lock);
    return pid;
}

// Maps the part of one of the other process's mappings that lies in the wanted range.
static bool map_part(
    pid_t pid, UINT64 start, UINT64 end, UINT64 file_offset, UINT64 address, UINT64 size, bool writable, char *mirror)
{
    UINT64 low = start > address ? start : address;
    UINT64 high = end < address + size ? end : address + size;
    char path[96];
    snprintf(path, sizeof path, "/proc/%d/map_files/%llx-%llx", pid, (unsigned long long)start, (unsigned long long)end);
    int file = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (file < 0)
        return false;
    void *mapped = mmap(mirror + (low - address), high - low, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED | MAP_FIXED,
        file, (off_t)(file_offset + (low - start)));
    close(file);
    return mapped != MAP_FAILED;
}

// Maps the whole range, part by part, as guard pages and other protections divide a view.
static bool map_parts(pid_t pid, UINT64 address, UINT64 size, bool writable, char *mirror)
{
    char path[64], line[PATH_MAX + 128], permissions[5];
    unsigned long long start, end, offset, inode;
    UINT64 covered = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "re");
    if (!maps)
        return false;
    while (covered < size && fgets(line, sizeof line, maps))
    {
        if (sscanf(line, "%llx-%llx %4s %llx %*s %llu", &start, &end, permissions, &offset, &inode) != 5
            || end <= address || start >= address + size)
            continue;

        // Changes of a private mapping are in no file; anonymous memory is of none.
        bool is_private = permissions[3] == 'p' && (writable || permissions[1] == 'w');
        if (!inode || is_private || start > address + covered
            || !map_part(pid, start, end, offset, address, size, writable, mirror))
            break;
        covered = end - address < size ? end - address : size;
    }
    fclose(maps);
    return covered == size;
}

HRESULT mirror_memory(HANDLE process, const void *address, UINT64 size, bool writable, void **mirror)
{
    pid_t pid = find_pid(process);
    if (!pid)
        return E_INVALIDARG;
    *mirror = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (*mirror == MAP_FAILED)
        return E_OUTOFMEMORY;
    if (map_parts(pid, (UINT_PTR)address, size, writable, *mirror))
        return S_OK;
    munmap(*mirror, size);
    return E_INVALIDARG;
}
