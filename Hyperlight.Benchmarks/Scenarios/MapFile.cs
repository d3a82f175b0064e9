using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A file is mapped into a sandbox and unmapped again. The guest does not look at it.</summary>
internal sealed class MapFile(BenchmarkDriver driver, long size) : Scenario
{
    /// <summary>Where guests find the file.</summary>
    public const ulong GuestAddress = 0x1_0000_0000;

    private readonly SparseFile _file = new(size);
    private readonly MultiUseSandbox _sandbox = TestGuest.Builder(driver).Build();

    /// <summary>The sizes, in bytes.</summary>
    public static IReadOnlyList<long> Sizes { get; } = [4 << 10, 64 << 20, 1 << 30];

    public override void Run()
    {
        _sandbox.MapFile(_file.Path, GuestAddress);
        _sandbox.UnmapFile(GuestAddress);
    }

    public override void Dispose()
    {
        _sandbox.Dispose();
        _file.Dispose();
    }
}
