namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>
/// One operation, prepared so that it can be repeated: written once, measured by BenchmarkDotNet and by the quick mode.
/// Used by one thread.
/// </summary>
internal abstract class Scenario : IDisposable
{
    /// <summary>How many operations one <see cref="Run"/> does.</summary>
    public virtual int OperationsPerRun => 1;

    /// <summary>
    /// Whether the calling thread alone does the work, so that time inside the kernel is a part of the time of a run.
    /// </summary>
    public virtual bool IsSequential => true;

    /// <summary>Bytes that the threads of the scenario have allocated so far.</summary>
    public virtual long AllocatedBytes => GC.GetAllocatedBytesForCurrentThread();

    /// <summary>Instructions that the guest has executed so far, if somebody counts them.</summary>
    public virtual long? InstructionCount => null;

    /// <summary>What has to be done again for each run and is not measured.</summary>
    public virtual void BeforeRun()
    {
    }

    /// <summary>The operation.</summary>
    public abstract void Run();

    public abstract void Dispose();
}
