using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>Where the time of sequential runs went.</summary>
internal sealed class TimeSplit(int capacity)
{
    /// <summary>Inside the ioctl that runs the guest: the guest itself, and the kernel's way in and out.</summary>
    public Distribution Guest { get; } = new(capacity);

    /// <summary>Inside all other calls of the driver to the kernel.</summary>
    public Distribution OtherKernelCalls { get; } = new(capacity);

    /// <summary>What is left: this library, and the page faults it causes.</summary>
    public Distribution Library { get; } = new(capacity);

    /// <summary>Adds a run.</summary>
    /// <param name="ticks">How long it took.</param>
    /// <param name="use">What it asked of the kernel.</param>
    public void Add(long ticks, KernelUse use)
    {
        Guest.Add(use.RunTicks);
        OtherKernelCalls.Add(use.OtherTicks);
        Library.Add(ticks - use.RunTicks - use.OtherTicks);
    }
}
