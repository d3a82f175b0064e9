using Hyperlight.Abstractions;
using Hyperlight.Tests.Kvm;
using Hyperlight.Whp;
using Iced.Intel;

namespace Hyperlight.Tests.Whp;

/// <summary>A machine of the driver on a simulated platform, with a few instructions in it.</summary>
internal sealed class WhpMachine : IDisposable
{
    public WhpMachine(Action<Assembler> code, Action<SimulatedWhpTraits>? traits = null, WhpOptions? options = null)
    {
        Whp = new SimulatedWhp(options);
        traits?.Invoke(Whp.Platform.Traits);
        Guest = new LongModeGuest(Whp.Hypervisor, code);
    }

    public SimulatedWhp Whp { get; }

    public SimulatedWinHv Platform => Whp.Platform;

    public SimulatedWindows Windows => Whp.Windows;

    public LongModeGuest Guest { get; }

    public IVirtualMachine Machine => Guest.Machine;

    /// <summary>The partition as the platform has it.</summary>
    public SimulatedPartition Partition => Platform.LastPartition!;

    /// <summary>Loops for ever.</summary>
    public static void Spin(Assembler code)
    {
        Label loop = code.CreateLabel();
        code.Label(ref loop);
        code.jmp(loop);
    }

    /// <summary>Cancels from another thread once the guest runs.</summary>
    public void CancelSoon() => Task.Run(() =>
    {
        while (!Platform.IsAnyRunning)
        {
            Thread.Yield();
        }

        Machine.Cancel();
    });

    /// <inheritdoc cref="SimulatedWhp.Calls"/>
    public Dictionary<SimulatedFunction, int> Calls(Action action) => Whp.Calls(action);

    public void Dispose()
    {
        Guest.Dispose();
        Whp.Dispose();
    }
}
