using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Benchmarks.Machines;

/// <summary>
/// The calls by which a vCPU is reset where the run page takes the rest: debug registers, the model-specific registers that
/// a guest can change, which are read to see whether it has, and XCR0.
/// </summary>
internal sealed unsafe class BareVcpuReset : IDisposable
{
    private readonly BareKvm _kvm = BareKvm.Open();
    private readonly BareMachine _machine;
    private readonly void* _msrs;
    private readonly int _msrCount;
    private KvmDebugregs _debug;
    private KvmXcrs _xcrs;

    /// <param name="driver">The driver, which knows the registers.</param>
    /// <exception cref="IOException">The kernel refused.</exception>
    public BareVcpuReset(BenchmarkDriver driver)
    {
        _machine = BareMachine.Create(_kvm);
        using IVirtualMachine machine = driver.Hypervisor.CreateVirtualMachine(new VirtualMachineOptions());
        ReadOnlySpan<uint> indices = machine.GuestWritableMsrs.Span;
        _msrCount = indices.Length;

        // SAFETY: room for the header and as many entries as it announces.
        _msrs = NativeMemory.AllocZeroed((nuint)(sizeof(KvmMsrs) + (_msrCount * sizeof(KvmMsrEntry))));
        ((KvmMsrs*)_msrs)->NMsrs = (uint)_msrCount;
        for (int i = 0; i < _msrCount; i++)
        {
            ((KvmMsrEntry*)((KvmMsrs*)_msrs + 1))[i].Index = indices[i];
        }

        fixed (KvmDebugregs* debug = &_debug)
        {
            Ioctl(KvmIoctls.KVM_GET_DEBUGREGS, debug, nameof(KvmIoctls.KVM_GET_DEBUGREGS));
        }

        fixed (KvmXcrs* xcrs = &_xcrs)
        {
            Ioctl(KvmIoctls.KVM_GET_XCRS, xcrs, nameof(KvmIoctls.KVM_GET_XCRS));
        }
    }

    /// <summary>Makes the calls.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    public void Run()
    {
        fixed (KvmDebugregs* debug = &_debug)
        {
            Ioctl(KvmIoctls.KVM_SET_DEBUGREGS, debug, nameof(KvmIoctls.KVM_SET_DEBUGREGS));
        }

        Ioctl(KvmIoctls.KVM_GET_MSRS, _msrs, nameof(KvmIoctls.KVM_GET_MSRS));
        fixed (KvmXcrs* xcrs = &_xcrs)
        {
            Ioctl(KvmIoctls.KVM_SET_XCRS, xcrs, nameof(KvmIoctls.KVM_SET_XCRS));
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(_msrs);
        _machine.Close();
        _kvm.Dispose();
    }

    private void Ioctl(nuint request, void* argument, string name) =>
        BareKvm.Check(BareLibC.Ioctl(_machine.Vcpu, request, (nint)argument), name);
}
