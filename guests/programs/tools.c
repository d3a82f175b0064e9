// SPDX-License-Identifier: Apache-2.0
//
// Calls of tools of the host: /dev/hyperlight/call.

#include "files.h"

#define CALL_POLL 7
#define PATH "/dev/hyperlight/call"
#define LARGE (3 << 20)

static char bytes[1 << 16];

static int64_t open_device(void)
{
    int64_t device = open_file(PATH, O_RDWR, 0);
    if (device < 0) {
        print_line("open", device);
    }
    return device;
}

static int64_t write_bytes(int64_t device, const char *text, uint64_t size)
{
    return call(CALL_WRITE, (uint64_t)device, (uint64_t)text, size, 0);
}

// All answers that are there.
static void print_answers(int64_t device)
{
    int64_t count;
    while ((count = call(CALL_READ, (uint64_t)device, (uint64_t)bytes, sizeof bytes, 0)) > 0) {
        call(CALL_WRITE, 1, (uint64_t)bytes, (uint64_t)count, 0);
    }
    if (count < 0) {
        print_line("read", count);
    }
}

// Each argument is a request.
static int call_tools(const struct start *start)
{
    int64_t device = open_device();
    for (uint64_t i = 2; device >= 0 && i < start->argument_count; i++) {
        int64_t size = (int64_t)length(start->arguments[i]);
        int64_t written = write_bytes(device, start->arguments[i], (uint64_t)size);
        int64_t ended = write_bytes(device, "\n", 1);
        if (written != size || ended != 1) {
            print_line("write", written != size ? written : ended);
        }
        print_answers(device);
    }
    return device < 0;
}

static int64_t poll_device(int64_t device)
{
    struct {
        int32_t descriptor;
        int16_t events, returned;
    } entry = { (int32_t)device, 5, 0 };
    call(CALL_POLL, (uint64_t)&entry, 1, 0, 0);
    return entry.returned;
}

// Lines in parts, several at a time, on two connections; what is wrong with a call.
static int call_parts(const struct start *start)
{
    const char *request = start->arguments[2];
    int64_t device = open_device();
    int64_t other = open_device();
    if (device < 0 || other < 0) {
        return 1;
    }
    print_line("nothing to read", call(CALL_READ, (uint64_t)device, (uint64_t)bytes, 10, 0));
    for (uint64_t i = 0; i < length(request); i++) {
        write_bytes(device, request + i, 1);
    }
    write_bytes(other, "{}\n", 3);
    print_line("poll before", poll_device(device));
    write_bytes(device, "\n", 1);
    print_line("poll after", poll_device(device));
    print_line("part", call(CALL_READ, (uint64_t)device, (uint64_t)bytes, 5, 0));
    print_answers(device);
    print_line("poll at end", poll_device(device));
    print_line("several", write_bytes(device, "{}\n\n[1]\n{\"na", 12));
    print_answers(device);
    print_line("rest", write_bytes(device, "me\":\"none\"}\n", 12));
    print_answers(device);
    print("other\n");
    print_answers(other);

    print_line("bad pointer", call(CALL_WRITE, (uint64_t)device, 16, 100, 0));
    print_line("seek", call(CALL_LSEEK, (uint64_t)device, 0, 0, 0));
    write_bytes(device, "{}\n", 3);
    print_line("bad buffer", call(CALL_READ, (uint64_t)device, 16, 100, 0));
    print_answers(device);
    int64_t duplicate = call(CALL_DUP, (uint64_t)device, 0, 0, 0);
    write_bytes(device, "{}\n", 3);
    close_file(device);
    print_answers(duplicate);
    close_file(duplicate);
    close_file(other);
    return 0;
}

// Requests of many sizes around the largest one: {"name":"length","arguments":"..."}.
static int call_large(const struct start *start)
{
    static const char before[] = "{\"name\":\"length\",\"arguments\":\"";
    int64_t device = open_device();
    uint64_t fill = parse_number(start->arguments[2]);
    char *text = (char *)call6(CALL_MMAP, 0, LARGE, 3, 0x22, (uint64_t)-1, 0);
    if (device < 0 || (int64_t)text < 0 || fill > LARGE - 100) {
        return 1;
    }
    uint64_t size = sizeof before - 1;
    for (uint64_t i = 0; i < size; i++) {
        text[i] = before[i];
    }
    for (uint64_t i = 0; i < fill; i++) {
        text[size++] = 'x';
    }
    text[size++] = '"';
    text[size++] = '}';
    text[size++] = '\n';
    print_line("written", write_bytes(device, text, size) == (int64_t)size);
    print_answers(device);
    return 0;
}

// Calls without end, whose answers are not read: the memory limit ends them.
static int call_without_end(const struct start *start)
{
    int64_t device = open_device();
    int64_t result;
    do {
        result = write_bytes(device, start->arguments[2], length(start->arguments[2]));
        result = result < 0 ? result : write_bytes(device, "\n", 1);
    } while (result > 0);
    print_line("end", result);
    return 0;
}

static uint64_t count_lines(const char *text, uint64_t size)
{
    uint64_t lines = 0;
    for (uint64_t i = 0; i < size; i++) {
        lines += text[i] == '\n';
    }
    return lines;
}

// Damaged requests in parts of random sizes: each line has one answer.
static int call_randomly(const struct start *start)
{
    static const char request[] = "{\"name\":\"echo\",\"arguments\":{\"a\":[1,2.5e3,\"\\u00e4\",null,true]}}\n";
    static char text[4096];
    uint64_t state = parse_number(start->arguments[2]) * 0x9E3779B97F4A7C15UL + 1;
    uint64_t requests = 0, answers = 0;
    int64_t device = open_device();
    int64_t size;
    for (int round = 0; device >= 0 && round < 60; round++) {
        for (uint64_t i = 0; i < sizeof text; i++) {
            state = state * 6364136223846793005UL + 1442695040888963407UL;
            text[i] = (state >> 33) % 40 == 0 ? (char)(state >> 40) : request[i % (sizeof request - 1)];
        }
        size = write_bytes(device, text + state % 2048, (state >> 20) % 2048);
        if (size > 0) {
            requests += count_lines(text + state % 2048, (uint64_t)size);
        }
        size = call(CALL_READ, (uint64_t)device, (uint64_t)bytes, (state >> 32) % sizeof bytes, 0);
        answers += size > 0 ? count_lines(bytes, (uint64_t)size) : 0;
    }
    write_bytes(device, "\n", 1);
    while ((size = call(CALL_READ, (uint64_t)device, (uint64_t)bytes, sizeof bytes, 0)) > 0) {
        answers += count_lines(bytes, (uint64_t)size);
    }
    print_line("many", requests > 200);
    print_line("difference", (int64_t)(requests + 1 - answers));
    return 0;
}

int tools(const char *name, const struct start *start)
{
    if (equal(name, "call")) {
        return call_tools(start);
    }
    if (equal(name, "call-parts")) {
        return call_parts(start);
    }
    if (equal(name, "call-large")) {
        return call_large(start);
    }
    if (equal(name, "call-randomly")) {
        return call_randomly(start);
    }
    if (equal(name, "call-without-end")) {
        return call_without_end(start);
    }
    return -1;
}
