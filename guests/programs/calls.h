// SPDX-License-Identifier: Apache-2.0
//
// What the tests of single system calls share: the numbers that other headers do not have.

#ifndef PROGRAMS_CALLS_H
#define PROGRAMS_CALLS_H

#include "files.h"

enum {
    CALL_POLL = 7,
    CALL_RT_SIGACTION = 13,
    CALL_RT_SIGPROCMASK = 14,
    CALL_RT_SIGRETURN = 15,
    CALL_PIPE = 22,
    CALL_SELECT = 23,
    CALL_SCHED_YIELD = 24,
    CALL_PAUSE = 34,
    CALL_NANOSLEEP = 35,
    CALL_GETITIMER = 36,
    CALL_ALARM = 37,
    CALL_SETITIMER = 38,
    CALL_SOCKET = 41,
    CALL_CONNECT = 42,
    CALL_ACCEPT = 43,
    CALL_SENDTO = 44,
    CALL_RECVFROM = 45,
    CALL_SENDMSG = 46,
    CALL_RECVMSG = 47,
    CALL_SHUTDOWN = 48,
    CALL_BIND = 49,
    CALL_LISTEN = 50,
    CALL_GETSOCKNAME = 51,
    CALL_GETPEERNAME = 52,
    CALL_SOCKETPAIR = 53,
    CALL_SETSOCKOPT = 54,
    CALL_GETSOCKOPT = 55,
    CALL_CLONE = 56,
    CALL_FORK = 57,
    CALL_VFORK = 58,
    CALL_EXECVE = 59,
    CALL_WAIT4 = 61,
    CALL_UNAME = 63,
    CALL_FDATASYNC = 75,
    CALL_CHOWN = 92,
    CALL_FCHOWN = 93,
    CALL_LCHOWN = 94,
    CALL_GETTIMEOFDAY = 96,
    CALL_GETRLIMIT = 97,
    CALL_GETRUSAGE = 98,
    CALL_SYSINFO = 99,
    CALL_TIMES = 100,
    CALL_GETUID = 102,
    CALL_GETGID = 104,
    CALL_SETUID = 105,
    CALL_SETGID = 106,
    CALL_GETEUID = 107,
    CALL_GETEGID = 108,
    CALL_SETPGID = 109,
    CALL_GETPPID = 110,
    CALL_GETPGRP = 111,
    CALL_SETSID = 112,
    CALL_SETREUID = 113,
    CALL_SETREGID = 114,
    CALL_GETGROUPS = 115,
    CALL_SETGROUPS = 116,
    CALL_SETRESUID = 117,
    CALL_GETRESUID = 118,
    CALL_SETRESGID = 119,
    CALL_GETRESGID = 120,
    CALL_GETPGID = 121,
    CALL_GETSID = 124,
    CALL_CAPGET = 125,
    CALL_RT_SIGPENDING = 127,
    CALL_RT_SIGTIMEDWAIT = 128,
    CALL_RT_SIGQUEUEINFO = 129,
    CALL_RT_SIGSUSPEND = 130,
    CALL_SIGALTSTACK = 131,
    CALL_UTIME = 132,
    CALL_MKNOD = 133,
    CALL_FSTATFS = 138,
    CALL_GETPRIORITY = 140,
    CALL_SETPRIORITY = 141,
    CALL_SCHED_SETPARAM = 142,
    CALL_SCHED_GETPARAM = 143,
    CALL_SCHED_SETSCHEDULER = 144,
    CALL_SCHED_GETSCHEDULER = 145,
    CALL_SCHED_GET_PRIORITY_MAX = 146,
    CALL_SCHED_GET_PRIORITY_MIN = 147,
    CALL_SCHED_RR_GET_INTERVAL = 148,
    CALL_MLOCK = 149,
    CALL_MUNLOCK = 150,
    CALL_PRCTL = 157,
    CALL_ARCH_PRCTL = 158,
    CALL_SETRLIMIT = 160,
    CALL_SYNC = 162,
    CALL_SETTIMEOFDAY = 164,
    CALL_GETTID = 186,
    CALL_READAHEAD = 187,
    CALL_SETXATTR = 188,
    CALL_LSETXATTR = 189,
    CALL_FSETXATTR = 190,
    CALL_GETXATTR = 191,
    CALL_LGETXATTR = 192,
    CALL_FGETXATTR = 193,
    CALL_LISTXATTR = 194,
    CALL_LLISTXATTR = 195,
    CALL_FLISTXATTR = 196,
    CALL_REMOVEXATTR = 197,
    CALL_LREMOVEXATTR = 198,
    CALL_FREMOVEXATTR = 199,
    CALL_TKILL = 200,
    CALL_TIME = 201,
    CALL_FUTEX = 202,
    CALL_SCHED_SETAFFINITY = 203,
    CALL_SCHED_GETAFFINITY = 204,
    CALL_EPOLL_CREATE = 213,
    CALL_SET_TID_ADDRESS = 218,
    CALL_FADVISE64 = 221,
    CALL_TIMER_CREATE = 222,
    CALL_TIMER_SETTIME = 223,
    CALL_TIMER_GETTIME = 224,
    CALL_TIMER_GETOVERRUN = 225,
    CALL_TIMER_DELETE = 226,
    CALL_CLOCK_SETTIME = 227,
    CALL_CLOCK_GETTIME = 228,
    CALL_CLOCK_GETRES = 229,
    CALL_CLOCK_NANOSLEEP = 230,
    CALL_EPOLL_WAIT = 232,
    CALL_EPOLL_CTL = 233,
    CALL_TGKILL = 234,
    CALL_UTIMES = 235,
    CALL_GET_MEMPOLICY = 239,
    CALL_WAITID = 247,
    CALL_MKNODAT = 259,
    CALL_FCHOWNAT = 260,
    CALL_FUTIMESAT = 261,
    CALL_RENAMEAT = 264,
    CALL_SYMLINKAT = 266,
    CALL_FCHMODAT = 268,
    CALL_PSELECT6 = 270,
    CALL_PPOLL = 271,
    CALL_SET_ROBUST_LIST = 273,
    CALL_GET_ROBUST_LIST = 274,
    CALL_SYNC_FILE_RANGE = 277,
    CALL_EPOLL_PWAIT = 281,
    CALL_EVENTFD = 284,
    CALL_ACCEPT4 = 288,
    CALL_EVENTFD2 = 290,
    CALL_EPOLL_CREATE1 = 291,
    CALL_PIPE2 = 293,
    CALL_PREADV = 295,
    CALL_PWRITEV = 296,
    CALL_RT_TGSIGQUEUEINFO = 297,
    CALL_PRLIMIT64 = 302,
    CALL_SYNCFS = 306,
    CALL_GETCPU = 309,
    CALL_GETRANDOM = 318,
    CALL_MEMBARRIER = 324,
    CALL_PREADV2 = 327,
    CALL_PWRITEV2 = 328,
    CALL_CLONE3 = 435,
};

#define CLOSED_DESCRIPTOR 99UL
#define BAD_ADDRESS 16UL
#define NO_PROCESS 0x7FFFFFF0UL

static inline uint64_t at(const void *pointer)
{
    return (uint64_t)pointer;
}

// Not in the program, of which some tests have little memory.
static inline void *new_memory(uint64_t size)
{
    return (void *)call6(CALL_MMAP, 0, size, 3, 0x22, (uint64_t)-1, 0);
}

// From root to a user without privileges, so that errors are those of each user. A process of
// another user stays as it is.
void give_up_privileges(void);

int single_calls(const char *name, const struct start *start);

int path_errors(void);
int descriptor_errors(void);
int identities(void);
int scheduling(void);
int clocks(void);
int timers(void);
int file_times(void);
int extended_attributes(void);
int memory_calls(void);
int memory_policy(void);
int directory_calls(void);
int owners(void);
int permissions(void);
int vectored_transfers(void);
int copies(void);
int process_attributes(void);
int signal_calls(void);
int waiting_calls(void);
int socket_calls(void);

#endif
