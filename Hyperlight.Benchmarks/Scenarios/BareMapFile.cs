using System.Text;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Machines;
using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>
/// The floor of <see cref="MapFile"/>: the file is opened and closed, and on KVM also mapped, put into a slot of a machine
/// made by hand, taken out, and unmapped.
/// </summary>
internal sealed unsafe class BareMapFile : Scenario
{
    private const uint Slot = 2;

    private readonly SparseFile _file;
    private readonly byte[] _path;
    private readonly BareKvm? _kvm;
    private readonly BareMachine _machine;

    public BareMapFile(BenchmarkDriver driver, long size)
    {
        _file = new SparseFile(size);
        _path = Encoding.UTF8.GetBytes(_file.Path + '\0');
        if (driver.Hypervisor is KvmHypervisor)
        {
            _kvm = BareKvm.Open();
            _machine = BareMachine.Create(_kvm);
        }
    }

    public override void Run()
    {
        // SAFETY: the path ends in NUL.
        fixed (byte* path = _path)
        {
            int file = (int)BareKvm.Check(BareLibC.Open(path, LibC.O_RDONLY | LibC.O_CLOEXEC), "open");
            if (_kvm is not null)
            {
                MapAndUnmap(file);
            }

            _ = BareLibC.Close(file);
        }
    }

    public override void Dispose()
    {
        if (_kvm is not null)
        {
            _machine.Close();
            _kvm.Dispose();
        }

        _file.Dispose();
    }

    private void MapAndUnmap(int file)
    {
        nuint size = (nuint)_file.Size;
        nint view = BareLibC.Map(0, size, LibC.PROT_READ, LibC.MAP_PRIVATE | LibC.MAP_NORESERVE, file, 0);
        BareKvm.Check(view, "mmap");
        KvmUserspaceMemoryRegion slot = new()
        {
            Slot = Slot,
            Flags = KvmUserspaceMemoryRegion.KVM_MEM_READONLY,
            GuestPhysAddr = MapFile.GuestAddress,
            MemorySize = size,
            UserspaceAddr = (ulong)view,
        };
        _machine.SetSlot(slot);
        _machine.SetSlot(new() { Slot = Slot });
        _ = BareLibC.Unmap(view, size);
    }
}
