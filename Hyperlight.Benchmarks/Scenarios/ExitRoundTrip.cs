using Hyperlight.Abstractions;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Machines;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>Into the guest and out again at its next instruction, through the driver.</summary>
internal sealed class ExitRoundTrip : Scenario
{
    private readonly IMemoryRegion _memory;
    private readonly IVirtualMachine _machine;

    public ExitRoundTrip(BenchmarkDriver driver)
    {
        _memory = driver.Hypervisor.AllocateMemory(ExitLoopGuest.MemorySize);
        ExitLoopGuest.Write(_memory.GetSpan(0, ExitLoopGuest.MemorySize));
        _machine = driver.Hypervisor.CreateVirtualMachine(new VirtualMachineOptions());
        _machine.MapMemory(0, GuestMapping.Whole(0, _memory, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));
        _machine.SetSpecialRegisters(ExitLoopGuest.SpecialRegisters);
        _machine.SetGeneralRegisters(ExitLoopGuest.GeneralRegisters);
    }

    public override void Run()
    {
        VmExit exit = _machine.Run();
        if (exit.Reason != VmExitReason.IoOut)
        {
            throw new InvalidOperationException($"The guest did not leave by an OUT: {exit}");
        }
    }

    public override void Dispose()
    {
        _machine.Dispose();
        _memory.Dispose();
    }
}
