using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Kvm;

/// <summary>The machine's own kernel as it would be without KVM_CAP_X86_MSR_FILTER.</summary>
internal sealed class WithoutMsrFilter() : ForwardingKernel(LinuxKernel.Instance)
{
    public override int Ioctl(int fd, uint request, nint argument) =>
        request == KvmIoctls.KVM_CHECK_EXTENSION && argument == KvmCapabilities.KVM_CAP_X86_MSR_FILTER
            ? 0
            : base.Ioctl(fd, request, argument);
}
