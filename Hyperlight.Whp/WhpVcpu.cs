using Hyperlight.Abstractions;

namespace Hyperlight.Whp;

/// <summary>
/// The virtual processor of a partition. Registers that are written wait here until the processor runs, and go to the
/// platform by one call then: each call goes to the hypervisor.
/// </summary>
internal sealed unsafe partial class WhpVcpu : IDisposable
{
    private readonly WhpSystem _system;
    private readonly WhpPartition _partition;
    private readonly NativeBuffer _buffer;

    private WhpVcpu(WhpSystem system, WhpPartition partition)
    {
        _system = system;
        _partition = partition;
        _buffer = new NativeBuffer(BufferSize);
    }

    /// <summary>Makes the processor of a fresh partition usable.</summary>
    /// <exception cref="GuestMsrException">The hypervisor does not have a register that the policy adds.</exception>
    /// <exception cref="HypervisorException">The platform refused; the partition is the caller's to delete.</exception>
    public static WhpVcpu Create(WhpSystem system, WhpPartition partition, MsrPolicy policy)
    {
        WhpVcpu vcpu = new(system, partition);
        try
        {
            vcpu.LearnXsaveFormat();
            vcpu.LearnPendingEvents();
            vcpu.CheckAdditionalMsrs(policy);
            return vcpu;
        }
        catch
        {
            vcpu.Dispose();
            throw;
        }
    }

    /// <summary>Frees the memory that calls are made with. The processor goes with its partition.</summary>
    public void Dispose()
    {
        _buffer.Dispose();
        _xsave?.Dispose();
    }
}
