using Hyperlight.Emulator;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>A virtual processor. Every request takes its mutex, so that one waits while a guest runs.</summary>
internal sealed unsafe partial class SimulatedVp(SimulatedPartition partition, EmulatorVirtualMachine machine)
{
    private readonly Lock _mutex = new();
    private SimulatedRegisters? _registers;
    private int _requests;

    public SimulatedPartition Partition => partition;

    public EmulatorVirtualMachine Machine => machine;

    public bool IsClosed { get; set; }

    /// <summary>PENDING_INTERRUPTION, INTERRUPT_STATE and the two pending events, and registers that the emulator does not have.</summary>
    public Dictionary<uint, ulong> Stored { get; } = new(partition.Kernel.Traits.FurtherRegisters)
    {
        [0x0001_0002] = 0,
        [0x0001_0003] = 0,
        [0x0001_0004] = 0,
        [0x0001_0005] = 0,
    };

    /// <summary>DELIVERABILITY_NOTIFICATIONS.</summary>
    public ulong Notifications { get; set; }

    public int Ioctl(uint request, nint argument)
    {
        lock (_mutex)
        {
            int every = partition.Kernel.Traits.InvalidatesPageEvery;
            if (request == SimulatedRequests.RunVp)
            {
                return Run(new Span<byte>((void*)argument, 256));
            }

            int result = request == SimulatedRequests.RootHvcall ? Hypercall(argument)
                : request == SimulatedRequests.GetVpState ? GetState(new Span<byte>((void*)argument, 16))
                : request == SimulatedRequests.SetVpState ? SetState(new Span<byte>((void*)argument, 16))
                : -Errno.ENOTTY;
            if (every > 0 && ++_requests % every == 0)
            {
                InvalidatePage();
            }

            return result;
        }
    }

    /// <summary>Opens the registers for a hypercall.</summary>
    public SimulatedRegisters OpenRegisters()
    {
        _registers ??= new SimulatedRegisters(this);
        _registers.Load();
        return _registers;
    }

    private int Hypercall(nint argument) => partition.Kernel.Traits.HasNoHypercalls
        ? -Errno.ENOTTY
        : new SimulatedHypercall(argument).Dispatch(partition, this);
}
