using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Machines;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>
/// The floor of <see cref="TakeSnapshot"/>: as many bytes copied, to memory that has been used before. What the kernel takes
/// for fresh memory is not a part of it, because an allocator may have some left.
/// </summary>
internal sealed class BareCopy : Scenario
{
    private readonly BareMemory _source;
    private readonly BareMemory _copy;

    public BareCopy(BenchmarkDriver driver, SnapshotGuest guest)
    {
        using MultiUseSandbox sandbox = guest.Build(driver);
        using Snapshot snapshot = sandbox.TakeSnapshot();
        _source = new BareMemory((nuint)snapshot.Size);
        _source.Fill(_source.Size, 1);
        _copy = new BareMemory(_source.Size);
    }

    public override void Run() => _copy.CopyFrom(_source, _source.Size);

    public override void Dispose()
    {
        _copy.Dispose();
        _source.Dispose();
    }
}
