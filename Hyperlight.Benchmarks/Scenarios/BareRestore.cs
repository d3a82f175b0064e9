using Hyperlight.Abstractions;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Machines;
using Hyperlight.Kvm;
using Hyperlight.Linux;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>
/// The floor of <see cref="RestoreSandbox"/>, on memory that belongs to no sandbox. The page tables are copied. On KVM the
/// driver's calls to the kernel are made by hand, and scratch memory is cleared as the driver's memory is: overwritten
/// whole, or given back if there is much of it. Elsewhere the pages that the call was told to touch are overwritten, and
/// nothing else.
/// </summary>
internal sealed class BareRestore : Scenario
{
    private readonly nuint _touched;
    private readonly BareMemory _scratch;
    private readonly BareMemory _pageTables;
    private readonly BareVcpuReset? _vcpu;

    public BareRestore(BenchmarkDriver driver, SnapshotGuest guest)
    {
        _touched = (nuint)guest.TouchedPages * GuestPage.Size;
        _scratch = new BareMemory((nuint)guest.ScratchSize);
        _pageTables = new BareMemory(PageTableSize(driver, guest));
        _pageTables.Fill(_pageTables.Size, 1);
        _vcpu = driver.Hypervisor is KvmHypervisor ? new BareVcpuReset(driver) : null;
    }

    public override void BeforeRun() => _scratch.Fill(Math.Max(_touched, _pageTables.Size), 1);

    public override void Run()
    {
        if (_vcpu is null)
        {
            _scratch.Clear(_touched);
        }
        else if (_scratch.Size < LinuxMemoryRegion.DiscardThreshold)
        {
            _scratch.Clear(_scratch.Size);
        }
        else
        {
            _scratch.Discard();
        }

        _scratch.CopyFrom(_pageTables, _pageTables.Size);
        _vcpu?.Run();
    }

    public override void Dispose()
    {
        _vcpu?.Dispose();
        _pageTables.Dispose();
        _scratch.Dispose();
    }

    private static nuint PageTableSize(BenchmarkDriver driver, SnapshotGuest guest)
    {
        using MultiUseSandbox sandbox = guest.Build(driver);
        using Snapshot snapshot = sandbox.TakeSnapshot();
        return (nuint)snapshot.Content.Image.PageTables.Length;
    }
}
