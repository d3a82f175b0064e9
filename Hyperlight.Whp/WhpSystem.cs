namespace Hyperlight.Whp;

/// <summary>
/// The platform of this Windows, and what was found out about it. Safe to use from any thread. All processors are alike.
/// </summary>
internal sealed class WhpSystem(IWinHv winHv, IWindowsKernel kernel, SurrogatePool? surrogates, WhpFeatures features)
{
    private long _staleCancellations;

    /// <summary>The functions of the platform.</summary>
    public IWinHv WinHv => winHv;

    /// <summary>Windows.</summary>
    public IWindowsKernel Kernel => kernel;

    /// <summary>The processes that host the memory of guests; <see langword="null"/> if this process does.</summary>
    public SurrogatePool? Surrogates => surrogates;

    /// <summary>What processors of partitions have.</summary>
    public WhpFeatures Features => features;

    /// <summary>The one machine of a process that hosts the memory of its guest itself.</summary>
    public SoleMachine SoleMachine { get; } = SoleMachine.Of(winHv);

    /// <summary>The model-specific registers that a guest can change, once they are known.</summary>
    public uint[]? WritableMsrs { get; set; }

    /// <summary>The names of the registers of pending events that this hypervisor has, once they are known.</summary>
    public uint[]? PendingEvents { get; set; }

    /// <summary>XCOMP_BV and size of an XSAVE image, once they are known.</summary>
    public XsaveFormat? Xsave { get; set; }

    /// <summary>How often a processor has left its guest for a cancellation that an earlier exit had overtaken.</summary>
    public long StaleCancellations => Interlocked.Read(ref _staleCancellations);

    /// <summary>Counts one.</summary>
    public void CountStaleCancellation() => Interlocked.Increment(ref _staleCancellations);
}
