using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>A machine of the driver on a simulated kernel.</summary>
internal sealed class FakeMachine : IDisposable
{
    private readonly KvmHypervisor _kvm;

    public FakeMachine(bool syncRegs = true, KvmOptions? options = null)
    {
        Kernel.Capabilities[KvmCapabilities.KVM_CAP_SYNC_REGS] = syncRegs ? 7 : 0;
        _kvm = new KvmHypervisor(Kernel, options);
        Machine = _kvm.CreateVirtualMachine(new VirtualMachineOptions());
    }

    public FakeKvmKernel Kernel { get; } = new();

    public IVirtualMachine Machine { get; }

    public FakeVcpu Vcpu => Kernel.Vcpu;

    /// <summary>Runs until a scripted exit.</summary>
    public VmExit Run(Func<FakeVcpu, int> script)
    {
        Kernel.OnRun = script;
        return Machine.Run();
    }

    public IMemoryRegion Allocate(nuint size) => _kvm.AllocateMemory(size);

    /// <summary>How many calls of a name were made while an action ran.</summary>
    public int Count(string call, Action action)
    {
        int before = Kernel.Journal.Count;
        action();
        return Kernel.Journal.Skip(before).Count(name => name == call);
    }

    public void Dispose()
    {
        Machine.Dispose();
        _kvm.Dispose();
        Assert.That(Kernel.Violations, Is.Empty);
    }
}
