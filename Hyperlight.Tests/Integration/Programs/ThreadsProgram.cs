namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A program of the C library with threads, locks, signals and timers. What it prints does not depend on time.</summary>
internal static class ThreadsProgram
{
    public const string Source =
        """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <pthread.h>
        #include <sched.h>
        #include <semaphore.h>
        #include <setjmp.h>
        #include <signal.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/time.h>
        #include <time.h>
        #include <ucontext.h>
        #include <unistd.h>

        static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
        static pthread_mutex_t robust;
        static pthread_barrier_t barrier;
        static sem_t semaphore;
        static long sum;
        static int turn;
        static __thread int local = 5;
        static sigjmp_buf after_fault;
        static volatile int received, code;
        static void *volatile address;

        static void *add(void *argument)
        {
            for (int i = 0; i < 1000; i++) {
                pthread_mutex_lock(&lock);
                sum += (long)argument;
                pthread_mutex_unlock(&lock);
                if (i % 100 == 0) {
                    sched_yield();
                }
            }
            local += (int)(long)argument;
            return (void *)(long)(local * 10);
        }

        static void *take_turns(void *argument)
        {
            for (int i = 0; i < 200; i++) {
                pthread_mutex_lock(&lock);
                while (turn % 4 != (long)argument) {
                    pthread_cond_wait(&changed, &lock);
                }
                turn++;
                pthread_cond_broadcast(&changed);
                pthread_mutex_unlock(&lock);
            }
            return NULL;
        }

        static void *compute(void *argument)
        {
            double *result = malloc(sizeof *result);
            *result = (double)(long)argument;
            for (int i = 0; i < 2000; i++) {
                *result = *result * 1.0001 + 0.5;
                if (i % 50 == 0) {
                    sched_yield();
                }
            }
            return result;
        }

        static void *wait_at_barrier(void *argument)
        {
            int result = pthread_barrier_wait(&barrier);
            sem_post(&semaphore);
            return result == PTHREAD_BARRIER_SERIAL_THREAD ? argument : NULL;
        }

        static void *sleep_long(void *argument)
        {
            struct timespec time = { 60, 0 };
            sem_post(&semaphore);
            return nanosleep(&time, NULL) != 0 && errno == EINTR ? argument : NULL;
        }

        static void *lock_and_end(void *argument)
        {
            pthread_mutex_lock(&robust);
            return argument;
        }

        static void *wait_for_cancellation(void *argument)
        {
            sem_post(&semaphore);
            for (;;) {
                pause();
            }
            return argument;
        }

        static void print_once(void)
        {
            puts("once");
        }

        static void jump(int signal, siginfo_t *info, void *context)
        {
            (void)context;
            received = signal;
            code = info->si_code;
            address = info->si_addr;
            siglongjmp(after_fault, 1);
        }

        // Goes on after the instruction, with another value.
        static void skip(int signal, siginfo_t *info, void *context)
        {
            greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
            (void)info;
            received = signal;
            registers[REG_RIP] += 2;
            registers[REG_RBX] = 77;
        }

        static void count(int signal)
        {
            received += signal;
        }

        static void use_threads(void)
        {
            pthread_t threads[16];
            void *result;
            for (long i = 0; i < 16; i++) {
                pthread_create(&threads[i], NULL, add, (void *)i);
            }
            for (int i = 0; i < 16; i++) {
                pthread_join(threads[i], &result);
                printf("%ld ", (long)result);
            }
            printf("sum %ld, local %d\n", sum, local);
            for (long i = 0; i < 4; i++) {
                pthread_create(&threads[i], NULL, take_turns, (void *)i);
            }
            for (int i = 0; i < 4; i++) {
                pthread_join(threads[i], NULL);
            }
            printf("turn %d\n", turn);
            for (long i = 0; i < 4; i++) {
                pthread_create(&threads[i], NULL, compute, (void *)i);
            }
            for (int i = 0; i < 4; i++) {
                pthread_join(threads[i], &result);
                printf("%.12g\n", *(double *)result);
            }
        }

        static void use_locks(void)
        {
            pthread_t threads[5];
            pthread_once_t once = PTHREAD_ONCE_INIT;
            pthread_mutexattr_t attributes;
            struct timespec deadline;
            void *result;
            int serial = 0;
            clock_gettime(CLOCK_REALTIME, &deadline);
            pthread_mutex_lock(&lock);
            printf("timed wait %d\n", pthread_cond_timedwait(&changed, &lock, &deadline) == ETIMEDOUT);
            pthread_mutex_unlock(&lock);
            pthread_barrier_init(&barrier, NULL, 5);
            sem_init(&semaphore, 0, 0);
            for (int i = 0; i < 5; i++) {
                pthread_create(&threads[i], NULL, wait_at_barrier, &serial);
            }
            for (int i = 0; i < 5; i++) {
                sem_wait(&semaphore);
                pthread_join(threads[i], &result);
                serial += result != NULL;
            }
            printf("serial %d\n", serial);
            pthread_once(&once, print_once);
            pthread_once(&once, print_once);
            pthread_mutexattr_init(&attributes);
            pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
            pthread_mutex_init(&robust, &attributes);
            pthread_create(&threads[0], NULL, lock_and_end, NULL);
            pthread_join(threads[0], NULL);
            printf("owner died %d\n", pthread_mutex_lock(&robust) == EOWNERDEAD);
            pthread_create(&threads[0], NULL, wait_for_cancellation, NULL);
            sem_wait(&semaphore);
            pthread_cancel(threads[0]);
            pthread_join(threads[0], &result);
            printf("cancelled %d\n", result == PTHREAD_CANCELED);
        }

        static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
        {
            struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };
            sigaction(signal, &action, NULL);
        }

        static void use_faults(void)
        {
            static char stack_memory[65536];
            stack_t stack = { .ss_sp = stack_memory, .ss_size = sizeof stack_memory };
            long rbx;
            double kept = 1.25;
            handle(SIGSEGV, jump, 0);
            handle(SIGFPE, jump, 0);
            if (sigsetjmp(after_fault, 1) == 0) {
                *(volatile int *)0x18 = 1;
            }
            printf("signal %d, code %d, address %p\n", received, code, address);
            if (sigsetjmp(after_fault, 1) == 0) {
                *(volatile char *)use_faults = 1;
            }
            printf("signal %d, code %d, address %d\n", received, code, address == (void *)use_faults);
            if (sigsetjmp(after_fault, 1) == 0) {
                __asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; cdq; idiv %%ecx" : : : "eax", "ecx", "edx");
            }
            printf("signal %d, code %d\n", received, code);
            handle(SIGILL, skip, 0);
            __asm__ volatile("ud2" : "=b"(rbx) : : "memory");
            printf("signal %d, rbx %ld, %f\n", received, rbx, kept);
            sigaltstack(&stack, NULL);
            handle(SIGSEGV, jump, SA_ONSTACK);
            received = 0;
            if (sigsetjmp(after_fault, 1) == 0) {
                __asm__ volatile("mov %%rsp, %%rbx; mov $0x20, %%rsp; push %%rax; mov %%rbx, %%rsp" : : : "rbx");
            }
            printf("signal %d\n", received);
        }

        static void use_timers(void)
        {
            pthread_t thread;
            void *result;
            sigset_t set;
            siginfo_t info;
            timer_t timer;
            struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
            struct itimerspec soon = { { 0, 0 }, { 0, 10000000 } };
            struct itimerval often = { { 0, 5000 }, { 0, 5000 } };
            struct itimerval never = { 0 };
            union sigval value = { .sival_int = 42 };
            signal(SIGUSR2, count);
            signal(SIGALRM, count);
            received = 0;
            pthread_create(&thread, NULL, sleep_long, &value);
            sem_wait(&semaphore);
            usleep(20000);
            pthread_kill(thread, SIGUSR2);
            pthread_join(thread, &result);
            printf("interrupted %d, received %d\n", result == &value, received);
            received = 0;
            setitimer(ITIMER_REAL, &often, NULL);
            while (received < 3 * SIGALRM) {
                pause();
            }
            setitimer(ITIMER_REAL, &never, NULL);
            printf("alarms %d\n", received >= 3 * SIGALRM);
            received = 0;
            timer_create(CLOCK_MONOTONIC, &event, &timer);
            timer_settime(timer, 0, &soon, NULL);
            while (received == 0) {
                usleep(1000);
            }
            printf("timer %d\n", received);
            sigemptyset(&set);
            sigaddset(&set, SIGRTMIN + 1);
            pthread_sigmask(SIG_BLOCK, &set, NULL);
            for (; value.sival_int < 45; value.sival_int++) {
                sigqueue(getpid(), SIGRTMIN + 1, value);
            }
            for (int i = 0; i < 3; i++) {
                int number = sigwaitinfo(&set, &info);
                printf("signal %d, value %d\n", number - SIGRTMIN, info.si_value.sival_int);
            }
        }

        int main(void)
        {
            use_threads();
            use_locks();
            use_faults();
            use_timers();
            return 3;
        }
        """;
}
