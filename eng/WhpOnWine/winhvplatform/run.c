// WHvRunVirtualProcessor and WHvCancelRunVirtualProcessor.
#include "exits.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Ends KVM_RUN in a thread. Wine uses none of these signals.
#define KICK (SIGRTMIN + 7)

static void on_kick(int signal)
{
}

static void install_handler(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_kick;
    action.sa_flags = SA_ONSTACK;
    sigaction(KICK, &action, NULL);
}

static void set_runner(struct partition *partition, pid_t thread)
{
    pthread_mutex_lock(&partition->runner_lock);
    atomic_store(&partition->runner, thread);
    pthread_mutex_unlock(&partition->runner_lock);
}

// Enters the guest until it exits or the run is cancelled.
static HRESULT enter(struct partition *partition, WHV_RUN_VP_EXIT_CONTEXT *context)
{
    for (;;)
    {
        partition->run->immediate_exit = 0;
        if (atomic_exchange(&partition->is_cancelled, false))
        {
            describe_processor(partition, WHvRunVpExitReasonCanceled, context);
            context->CancelReason.CancelReason = WhvRunVpCancelReasonUser;
            return S_OK;
        }
        if (ioctl(partition->vcpu, KVM_RUN, NULL) == 0)
            return describe_exit(partition, context);
        if (errno != EINTR && errno != EAGAIN)
            return from_errno(errno);
    }
}

HRESULT WINAPI WHvRunVirtualProcessor(WHV_PARTITION_HANDLE handle, UINT32 index, void *buffer, UINT32 size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct partition *partition;
    HRESULT result = find_processor(handle, index, &partition);
    if (FAILED(result))
        return result;
    if (size < sizeof(WHV_RUN_VP_EXIT_CONTEXT))
        return WHV_E_INSUFFICIENT_BUFFER;
    if (atomic_exchange(&partition->is_running, true))
        return WHV_E_INVALID_VP_STATE;
    pthread_once(&once, install_handler);
    set_runner(partition, syscall(SYS_gettid));
    result = enter(partition, buffer);
    set_runner(partition, 0);
    atomic_store(&partition->is_running, false);
    return result;
}

// Also when no run is in progress: then it ends the next one.
HRESULT WINAPI WHvCancelRunVirtualProcessor(WHV_PARTITION_HANDLE handle, UINT32 index, UINT32 flags)
{
    struct partition *partition;
    HRESULT result = find_processor(handle, index, &partition);
    if (FAILED(result) || flags)
        return FAILED(result) ? result : E_INVALIDARG;
    atomic_store(&partition->is_cancelled, true);
    partition->run->immediate_exit = 1;
    pthread_mutex_lock(&partition->runner_lock);
    pid_t runner = atomic_load(&partition->runner);
    if (runner)
        syscall(SYS_tgkill, getpid(), runner, KICK);
    pthread_mutex_unlock(&partition->runner_lock);
    return S_OK;
}
