// SPDX-License-Identifier: Apache-2.0
//
// The calls of signals and of the ends of processes: wrong arguments, and what other tests do
// not make.

#include "calls.h"
#include "signals.h"

#define SIGNAL 40
#define MASK_SIZE 8
#define SI_QUEUE (-1)
#define SI_TKILL (-6)
#define WNOHANG 1
#define WEXITED 4
#define WNOWAIT 0x1000000

static uint64_t process;

static void targets(void)
{
    print_line("kill", call(CALL_KILL, process, 0, 0, 0));
    print_line("no process", call(CALL_KILL, NO_PROCESS, 0, 0, 0));
    print_line("no group", call(CALL_KILL, -NO_PROCESS, 0, 0, 0));
    print_line("no signal", call(CALL_KILL, process, 65, 0, 0));
    print_line("negative signal", call(CALL_KILL, process, (uint64_t)-1, 0, 0));
    print_line("tkill", call(CALL_TKILL, process, 0, 0, 0));
    print_line("no thread", call(CALL_TKILL, NO_PROCESS, 0, 0, 0));
    print_line("thread 0", call(CALL_TKILL, 0, 0, 0, 0));
    print_line("negative", call(CALL_TKILL, (uint64_t)-1, 0, 0, 0));
    print_line("no signal", call(CALL_TKILL, process, 65, 0, 0));
    print_line("tgkill", call(CALL_TGKILL, process, process, 0, 0));
    print_line("no process", call(CALL_TGKILL, NO_PROCESS, process, 0, 0));
    print_line("no thread", call(CALL_TGKILL, process, NO_PROCESS, 0, 0));
    print_line("process 0", call(CALL_TGKILL, 0, process, 0, 0));
    print_line("negative thread", call(CALL_TGKILL, process, (uint64_t)-1, 0, 0));
    print_line("no signal", call(CALL_TGKILL, process, process, 65, 0));
}

static int64_t take(struct info *info)
{
    const uint64_t mask = 1UL << (SIGNAL - 1);
    const int64_t none[2] = { 0, 0 };
    return call(CALL_RT_SIGTIMEDWAIT, at(&mask), at(info), at(none), MASK_SIZE);
}

// The signal is blocked.
static void queues(void)
{
    struct info info = { .code = SI_QUEUE, .value = 77 };
    struct info found = { 0 };
    print_line("rt_sigqueueinfo", call(CALL_RT_SIGQUEUEINFO, process, SIGNAL, at(&info), 0));
    print_line("taken", take(&found));
    print_line("code", found.code);
    print_line("value", (int64_t)found.value);
    print_line("no process", call(CALL_RT_SIGQUEUEINFO, NO_PROCESS, SIGNAL, at(&info), 0));
    print_line("no signal", call(CALL_RT_SIGQUEUEINFO, process, 65, at(&info), 0));
    print_line("signal 0", call(CALL_RT_SIGQUEUEINFO, process, 0, at(&info), 0));
    print_line("bad address", call(CALL_RT_SIGQUEUEINFO, process, SIGNAL, BAD_ADDRESS, 0));
    print_line("rt_tgsigqueueinfo", call(CALL_RT_TGSIGQUEUEINFO, process, process, SIGNAL, at(&info)));
    print_line("taken", take(&found));
    print_line("value", (int64_t)found.value);
    print_line("no process", call(CALL_RT_TGSIGQUEUEINFO, NO_PROCESS, process, SIGNAL, at(&info)));
    print_line("no thread", call(CALL_RT_TGSIGQUEUEINFO, process, NO_PROCESS, SIGNAL, at(&info)));
    print_line("thread 0", call(CALL_RT_TGSIGQUEUEINFO, process, 0, SIGNAL, at(&info)));
    print_line("negative process", call(CALL_RT_TGSIGQUEUEINFO, (uint64_t)-1, process, SIGNAL, at(&info)));
    print_line("no signal", call(CALL_RT_TGSIGQUEUEINFO, process, process, 65, at(&info)));
    print_line("bad address", call(CALL_RT_TGSIGQUEUEINFO, process, process, SIGNAL, BAD_ADDRESS));
    // As if the kernel or kill had sent it: to oneself only.
    info.code = 0;
    print_line("to oneself", call(CALL_RT_SIGQUEUEINFO, process, SIGNAL, at(&info), 0));
    print_line("taken", take(&found));
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        print_line("to another", call(CALL_RT_SIGQUEUEINFO, process, SIGNAL, at(&info), 0));
        print_line("to another", call(CALL_RT_TGSIGQUEUEINFO, process, process, SIGNAL, at(&info)));
        info.code = SI_TKILL;
        print_line("to another", call(CALL_RT_SIGQUEUEINFO, process, SIGNAL, at(&info), 0));
        exit_program(0);
    }
    call(CALL_WAIT4, (uint64_t)child, 0, 0, 0);
    print_line("nothing came", take(&found));
}

static void masks(void)
{
    const uint64_t mask = 1UL << (SIGNAL - 1);
    const int64_t none[2] = { 0, 0 };
    const int64_t wrong[2] = { 0, 1000000000 };
    uint64_t old = 0;
    print_line("sigprocmask", call(CALL_RT_SIGPROCMASK, 0, at(&mask), at(&old), MASK_SIZE));
    print_line("again", call(CALL_RT_SIGPROCMASK, 0, 0, at(&old), MASK_SIZE));
    print_line("blocked", (old & mask) != 0);
    print_line("no operation", call(CALL_RT_SIGPROCMASK, 9, at(&mask), 0, MASK_SIZE));
    print_line("wrong size", call(CALL_RT_SIGPROCMASK, 0, at(&mask), 0, 4));
    print_line("sigaction", call(CALL_RT_SIGACTION, SIGNAL, 0, 0, 4));
    print_line("signal 0", call(CALL_RT_SIGACTION, 0, 0, 0, MASK_SIZE));
    print_line("signal 65", call(CALL_RT_SIGACTION, 65, 0, 0, MASK_SIZE));
    const struct action action = { 0 };
    print_line("kill", call(CALL_RT_SIGACTION, 9, at(&action), 0, MASK_SIZE));
    print_line("pending", call(CALL_RT_SIGPENDING, at(&old), MASK_SIZE, 0, 0));
    print_line("wrong size", call(CALL_RT_SIGPENDING, at(&old), 9, 0, 0));
    print_line("bad address", call(CALL_RT_SIGPENDING, BAD_ADDRESS, MASK_SIZE, 0, 0));
    print_line("sigsuspend", call(CALL_RT_SIGSUSPEND, at(&mask), 4, 0, 0));
    print_line("bad address", call(CALL_RT_SIGSUSPEND, BAD_ADDRESS, MASK_SIZE, 0, 0));
    print_line("sigtimedwait", call(CALL_RT_SIGTIMEDWAIT, at(&mask), 0, at(none), MASK_SIZE));
    print_line("wrong size", call(CALL_RT_SIGTIMEDWAIT, at(&mask), 0, at(none), 4));
    print_line("bad address", call(CALL_RT_SIGTIMEDWAIT, BAD_ADDRESS, 0, at(none), MASK_SIZE));
    print_line("bad time", call(CALL_RT_SIGTIMEDWAIT, at(&mask), 0, BAD_ADDRESS, MASK_SIZE));
    print_line("wrong time", call(CALL_RT_SIGTIMEDWAIT, at(&mask), 0, at(wrong), MASK_SIZE));
    struct stack stack = { 0 };
    print_line("sigaltstack", call(CALL_SIGALTSTACK, 0, at(&stack), 0, 0));
    print_line("flags", (int64_t)(uint32_t)stack.flags);
    print_line("bad address", call(CALL_SIGALTSTACK, BAD_ADDRESS, 0, 0, 0));
    print_line("bad address", call(CALL_SIGALTSTACK, 0, BAD_ADDRESS, 0, 0));
    print_line("getitimer", call(CALL_GETITIMER, 0, BAD_ADDRESS, 0, 0));
    print_line("setitimer", call(CALL_SETITIMER, 0, BAD_ADDRESS, 0, 0));
    print_line("no timer", call(CALL_SETITIMER, 9, 0, 0, 0));
    print_line("bad address and no timer", call(CALL_SETITIMER, 9, BAD_ADDRESS, 0, 0));
    print_line("alarm", call(CALL_ALARM, 0, 0, 0, 0));
}

// A child that shares memory, and runs on its parent's stack until it ends.
static int64_t vfork_and_end(void)
{
    int64_t result;
    __asm__ volatile("syscall\n"
                     "test %%eax, %%eax\n"
                     "jnz 1f\n"
                     "mov $3, %%edi\n"
                     "mov %2, %%eax\n"
                     "syscall\n"
                     "1:\n"
                     : "=a"(result) : "a"(CALL_VFORK), "i"(CALL_EXIT_GROUP) : "rcx", "r11", "rdi", "memory");
    return result;
}

static void children(void)
{
    // struct clone_args: a process, and its signal.
    const uint64_t arguments[8] = { [4] = 17 };
    uint32_t status = 0;
    uint32_t words[32] = { 0 };
    int64_t child = vfork_and_end();
    print_line("vfork", call(CALL_WAIT4, (uint64_t)child, at(&status), 0, 0) == child);
    print_line("status", status);
    child = call(CALL_CLONE3, at(arguments), sizeof arguments, 0, 0);
    if (child == 0) {
        exit_program(4);
    }
    print_line("waitid", call6(CALL_WAITID, 1, (uint64_t)child, at(words), WEXITED | WNOWAIT, 0, 0));
    print_line("signal", words[0]);
    print_line("code", words[2]);
    print_line("the child", words[4] == child);
    print_line("status", words[6]);
    print_line("no kind", call6(CALL_WAITID, 9, 0, at(words), WEXITED, 0, 0));
    print_line("no options", call6(CALL_WAITID, 0, 0, at(words), 0, 0, 0));
    print_line("wrong options", call6(CALL_WAITID, 0, 0, at(words), WEXITED | 0x100, 0, 0));
    print_line("no process", call6(CALL_WAITID, 1, NO_PROCESS, at(words), WEXITED, 0, 0));
    print_line("process 0", call6(CALL_WAITID, 1, 0, at(words), WEXITED, 0, 0));
    print_line("no group", call6(CALL_WAITID, 2, NO_PROCESS, at(words), WEXITED, 0, 0));
    print_line("bad address", call6(CALL_WAITID, 1, (uint64_t)child, BAD_ADDRESS, WEXITED | WNOWAIT, 0, 0));
    print_line("wrong options", call(CALL_WAIT4, (uint64_t)child, 0, 0x100, 0));
    print_line("no process", call(CALL_WAIT4, NO_PROCESS, 0, 0, 0));
    print_line("no group", call(CALL_WAIT4, -NO_PROCESS, 0, 0, 0));
    print_line("bad address", call(CALL_WAIT4, (uint64_t)child, BAD_ADDRESS, 0, 0));
    print_line("it is gone", call(CALL_WAIT4, (uint64_t)child, 0, WNOHANG, 0));
    print_line("no child", call6(CALL_WAITID, 0, 0, at(words), WEXITED | WNOHANG, 0, 0));
}

int signal_calls(void)
{
    process = (uint64_t)call(CALL_GETPID, 0, 0, 0, 0);
    // What started the program may have ignored it.
    set_handler(17, 0, 0, 0);
    masks();
    targets();
    queues();
    children();
    return 0;
}
