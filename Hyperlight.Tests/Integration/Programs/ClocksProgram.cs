namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A program of the C library that reads clocks. Times are printed in nanoseconds.</summary>
internal static class ClocksProgram
{
    public const string Source =
        """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <linux/futex.h>
        #include <pthread.h>
        #include <sched.h>
        #include <signal.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/auxv.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <sys/wait.h>
        #include <time.h>
        #include <unistd.h>

        #define THREADS 3

        static int64_t nanoseconds(struct timespec time)
        {
            return time.tv_sec * 1000000000L + time.tv_nsec;
        }

        // Of the C library, which has an object of the kernel do it if there is one, or of the system call.
        static int64_t now(int clock, int is_call)
        {
            struct timespec time;
            if ((is_call ? syscall(SYS_clock_gettime, clock, &time) : clock_gettime(clock, &time)) != 0) {
                printf("clock %d cannot be read\n", clock);
            }
            return nanoseconds(time);
        }

        // For a time, with waits in between. The number of times that a clock went back.
        static long watch(int64_t duration, int sleeps)
        {
            static int64_t last;
            long back = 0;
            int64_t start = now(CLOCK_MONOTONIC, 1);
            for (long i = 0; last - start < duration; i++) {
                int64_t former = __atomic_load_n(&last, __ATOMIC_SEQ_CST);
                int64_t time = now(CLOCK_MONOTONIC, i % 3 == 0);
                back += time < former;
                (void)now(CLOCK_REALTIME, i % 3 == 1);
                while (time > former && !__atomic_compare_exchange_n(&last, &former, time, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
                }
                if (sleeps && i % 50 == 0) {
                    nanosleep(&(struct timespec){ 0, 100000 }, NULL);
                }
            }
            return back;
        }

        static void *watch_in_thread(void *duration)
        {
            return (void *)watch((int64_t)duration, 1);
        }

        static long watch_in_threads(int64_t duration)
        {
            pthread_t threads[THREADS];
            long back = 0;
            for (int i = 0; i < THREADS; i++) {
                pthread_create(&threads[i], NULL, watch_in_thread, (void *)duration);
            }
            back += watch(duration, 0);
            for (int i = 0; i < THREADS; i++) {
                void *result;
                pthread_join(threads[i], &result);
                back += (long)result;
            }
            return back;
        }

        static void print_times(void)
        {
            struct timeval time;
            gettimeofday(&time, NULL);
            printf("%ld %ld %ld\n", now(CLOCK_REALTIME, 0), now(CLOCK_REALTIME, 1), time.tv_sec * 1000000000L + time.tv_usec * 1000);
        }

        // All clocks, one after the other: each is not before the last one of its kind.
        static void print_kinds(void)
        {
            static const int wall[] = { CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_REALTIME };
            static const int monotonic[] = { CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
                                             CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_MONOTONIC };
            long back = 0;
            int64_t last = 0;
            for (unsigned i = 0; i < 2 * sizeof monotonic / sizeof monotonic[0]; i++) {
                int64_t time = now(monotonic[i / 2], i % 2);
                back += time < last;
                last = time;
            }
            last = 0;
            for (unsigned i = 0; i < 2 * sizeof wall / sizeof wall[0]; i++) {
                int64_t time = now(wall[i / 2], i % 2);
                back += time < last;
                last = time;
            }
            printf("%ld\n", back);
        }

        // How late the clock is when instructions take much longer than those before, at least: what it gains by a wait,
        // after which the host is asked.
        static void print_delay(void)
        {
            int64_t least = INT64_MAX;
            for (int i = 0; i < 4; i++) {
                int64_t start = now(CLOCK_MONOTONIC, 1);
                for (volatile long quick = 0; now(CLOCK_MONOTONIC, 1) - start < 60000000;) {
                    for (int j = 0; j < 20000; j++) {
                        quick++;
                    }
                }
                double angle = 1;
                for (int j = 0; j < 100000; j++) {
                    __asm__ volatile("fsin" : "+t"(angle));
                }
                int64_t before = now(CLOCK_MONOTONIC, 1);
                nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
                int64_t gained = now(CLOCK_MONOTONIC, 1) - before;
                least = gained < least ? gained : least;
            }
            printf("%ld\n", least);
        }

        static int is_early(int64_t time)
        {
            return now(CLOCK_REALTIME, 1) < time;
        }

        static void *read_clocks(void *unused)
        {
            for (;;) {
                now(CLOCK_REALTIME, 1);
                now(CLOCK_MONOTONIC, 1);
                sched_yield();
            }
        }

        // How many waits until a time of the wall clock end before it, of three kinds, while another thread has clocks computed.
        static void print_early_ends(long count)
        {
            pthread_t other;
            static int word;
            long sleeps = 0, futexes = 0, timers = 0;
            timer_t timer;
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGALRM);
            sigprocmask(SIG_BLOCK, &set, NULL);
            pthread_create(&other, NULL, read_clocks, NULL);
            timer_create(CLOCK_REALTIME, NULL, &timer);
            for (long i = 0; i < count; i++) {
                for (int kind = 0; kind < 3; kind++) {
                    int64_t until = now(CLOCK_REALTIME, 1) + 3000000 + i % 5 * 5000000;
                    struct itimerspec time = { .it_value = { until / 1000000000, until % 1000000000 } };
                    if (kind == 0) {
                        clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time.it_value, NULL);
                        sleeps += is_early(until);
                    } else if (kind == 1) {
                        syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &time.it_value, NULL, FUTEX_BITSET_MATCH_ANY);
                        futexes += is_early(until);
                    } else {
                        timer_settime(timer, TIMER_ABSTIME, &time, NULL);
                        sigwaitinfo(&set, NULL);
                        timers += is_early(until);
                    }
                }
            }
            printf("%ld %ld %ld\n", sleeps, futexes, timers);
        }

        static void print_object(const char *end)
        {
            char line[512];
            FILE *maps = fopen("/proc/self/maps", "r");
            while (fgets(line, sizeof line, maps) != NULL) {
                if (strstr(line, "[v") != NULL) {
                    unsigned long start = strtoul(line, NULL, 16);
                    printf("%.4s %s %s", strchr(line, ' ') + 1, start == getauxval(AT_SYSINFO_EHDR) ? "object" : "other", strchr(line, '['));
                }
            }
            fclose(maps);
            printf("%s", end);
        }

        // What it does to the object is its own affair: another process has it as it was.
        static int damage(void)
        {
            char *object = (char *)getauxval(AT_SYSINFO_EHDR);
            pid_t child = fork();
            if (child == 0) {
                if (mprotect(object - 4096, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) == 0) {
                    memset(object - 4096, 0xCC, 8192);
                }
                struct timespec time;
                clock_gettime(CLOCK_MONOTONIC, &time);
                _exit(0);
            }
            int status;
            waitpid(child, &status, 0);
            printf("%d\n", WIFSIGNALED(status));
            child = fork();
            if (child == 0) {
                _exit(munmap(object - 4096, 8192));
            }
            waitpid(child, &status, 0);
            printf("%d %ld\n", status, watch(20000000, 0));
            return 0;
        }

        static int errors(void)
        {
            struct timespec time;
            printf("%d %d\n", clock_gettime(99, &time), clock_gettime(-3, &time));
            printf("%d %d\n", clock_getres(99, &time), clock_getres(CLOCK_MONOTONIC, NULL));
            printf("%ld\n", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8L));
            printf("%d\n", clock_getres(CLOCK_REALTIME, &time) == 0 && time.tv_nsec > 0);
            printf("%d\n", time.tv_sec == 0 && gettimeofday(NULL, NULL) == 0);
            fflush(stdout);
            pid_t child = fork();
            if (child == 0) {
                // A fault, as soon as no system call does it.
                while (clock_gettime(CLOCK_MONOTONIC, (struct timespec *)8) != 0) {
                }
                _exit(0);
            }
            int status;
            waitpid(child, &status, 0);
            printf("%d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
            return 0;
        }

        static int checkpoint(void)
        {
            char strings[256];
            printf("%ld\n", watch(50000000, 0));
            print_times();
            fflush(stdout);
            int64_t before = now(CLOCK_MONOTONIC, 0);
            int device = open("/dev/hyperlight/ready", O_RDONLY);
            long size = read(device, strings, sizeof strings);
            int64_t after = now(CLOCK_MONOTONIC, 0);
            printf("%d %d\n", size > 0, after >= before);
            print_times();
            printf("%ld\n", watch(50000000, 0));
            print_times();
            fflush(stdout);
            return 0;
        }

        int main(int count, char **arguments)
        {
            const char *name = count > 1 ? arguments[1] : "checkpoint";
            long number = count > 2 ? atol(arguments[2]) : 0;
            if (strcmp(name, "calls") == 0 || strcmp(name, "readings") == 0) {
                int64_t last = 0;
                for (long i = 0; i < number; i++) {
                    int64_t time = now(CLOCK_MONOTONIC, name[0] == 'c');
                    if (time < last) {
                        return 1;
                    }
                    last = time;
                }
                return 0;
            }
            if (strcmp(name, "watch") == 0) {
                int64_t start = now(CLOCK_MONOTONIC, 0);
                print_times();
                printf("%ld\n", watch_in_threads(number));
                print_kinds();
                print_times();
                printf("%ld\n", now(CLOCK_MONOTONIC, 0) - start);
                return 0;
            }
            if (strcmp(name, "delay") == 0) {
                print_delay();
                return 0;
            }
            if (strcmp(name, "deadlines") == 0) {
                print_early_ends(number);
                return 0;
            }
            if (strcmp(name, "object") == 0) {
                print_object("");
                fflush(stdout);
                if (fork() == 0) {
                    print_object("");
                    fflush(stdout);
                    execl("/proc/self/exe", arguments[0], "executed", NULL);
                }
                wait(NULL);
                return 0;
            }
            if (strcmp(name, "executed") == 0) {
                print_object("end\n");
                return 0;
            }
            if (strcmp(name, "address") == 0) {
                printf("%lx\n", getauxval(AT_SYSINFO_EHDR));
                return 0;
            }
            return strcmp(name, "damage") == 0 ? damage() : strcmp(name, "errors") == 0 ? errors() : checkpoint();
        }
        """;

    /// <summary>The path of the executable. Skips the test on machines without a compiler or a static C library.</summary>
    public static string Build() => StaticProgram.Build("clocks", Source);
}
