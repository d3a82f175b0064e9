// The device of KVM.
#include "partition.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

int kvm(int descriptor, unsigned long request, void *argument)
{
    int result;
    do
        result = ioctl(descriptor, request, argument);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

static int opened = -1;

static void open_device(void)
{
    opened = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (opened >= 0 && kvm(opened, KVM_GET_API_VERSION, NULL) != KVM_API_VERSION)
    {
        close(opened);
        opened = -1;
    }
}

int kvm_device(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_device);
    return opened;
}

HRESULT from_errno(int error)
{
    switch (error)
    {
    case ENOMEM: return E_OUTOFMEMORY;
    case EINVAL: return HV_E_INVALID_PARAMETER;
    case EACCES:
    case EPERM: return E_ACCESSDENIED;
    default: return E_FAIL;
    }
}
