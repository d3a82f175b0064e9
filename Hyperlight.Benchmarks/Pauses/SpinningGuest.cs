using Hyperlight.Abstractions;
using Hyperlight.Benchmarks.Machines;
using Hyperlight.Emulator;

namespace Hyperlight.Benchmarks.Pauses;

/// <summary>A guest that increments a register for ever, on a thread of its own.</summary>
internal sealed class SpinningGuest : IDisposable
{
    /// <summary>Enough for an interpreted guest to get from the start of its thread into its loop.</summary>
    private static readonly TimeSpan EntryTime = TimeSpan.FromMilliseconds(2);

    private readonly IMemoryRegion _memory;
    private readonly EmulatorVirtualMachine _machine;
    private readonly Thread _thread;
    private VmExit _exit;
    private volatile bool _starts;

    public SpinningGuest(EmulatorOptions options)
    {
        var hypervisor = new EmulatorHypervisor(options);
        _memory = hypervisor.AllocateMemory(ExitLoopGuest.MemorySize);
        Span<byte> memory = _memory.GetSpan(0, ExitLoopGuest.MemorySize);
        ExitLoopGuest.Write(memory);

        // inc rbx; jmp back to it.
        ReadOnlySpan<byte> code = [0x48, 0xFF, 0xC3, 0xEB, 0xFB];
        code.CopyTo(memory[(int)ExitLoopGuest.GeneralRegisters.Rip..]);
        _machine = (EmulatorVirtualMachine)hypervisor.CreateVirtualMachine(new VirtualMachineOptions());
        _machine.MapMemory(0, GuestMapping.Whole(0, _memory, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));
        _machine.SetSpecialRegisters(ExitLoopGuest.SpecialRegisters);
        _machine.SetGeneralRegisters(ExitLoopGuest.GeneralRegisters);
        _thread = new Thread(Spin) { IsBackground = true };
        _thread.Start();
        while (!_starts || (options.TranslateHotCode && _machine.CodeEntries == 0))
        {
            Thread.Sleep(EntryTime);
        }
    }

    /// <summary>A guest that does not spin any more: what is left are its machine and the machine's objects.</summary>
    public static SpinningGuest Stopped(EmulatorOptions options)
    {
        var guest = new SpinningGuest(options);
        guest.Stop();
        return guest;
    }

    /// <exception cref="InvalidOperationException">The guest did not spin until now.</exception>
    public void Dispose()
    {
        Stop();
        ulong rounds = _machine.GetGeneralRegisters().Rbx;
        _machine.Dispose();
        _memory.Dispose();
        if (_exit != VmExit.Cancelled || rounds == 0)
        {
            throw new InvalidOperationException($"The guest ended with {_exit} after {rounds} rounds.");
        }
    }

    private void Stop()
    {
        _machine.Cancel();
        _thread.Join();
    }

    private void Spin()
    {
        _starts = true;
        _exit = _machine.Run();
    }
}
