using System.Runtime.InteropServices;
using Hyperlight.Tests.Linux;
using Hyperlight.Whp;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Tests.Whp;

/// <summary>That the simulated platform refuses what the real one refuses, whether or not the driver does it.</summary>
[TestFixture]
internal sealed unsafe class WhpPlatformTests
{
    private SimulatedWindows _windows = null!;
    private SimulatedWinHv _platform = null!;
    private nint _partition;

    [SetUp]
    public void CreatePartition()
    {
        RealLinux.Require();
        _windows = new SimulatedWindows();
        _platform = new SimulatedWinHv(_windows);
        nint partition;
        Assert.That(_platform.CreatePartition(&partition), Is.Zero);
        _partition = partition;
    }

    [Test]
    public void Properties_of_processors_come_before_the_set_up_which_comes_once()
    {
        Assert.That(_platform.SetupPartition(_partition), Is.LessThan(0), "without a number of processors");
        Assert.That(_platform.CreateVirtualProcessor(_partition, 0, 0), Is.LessThan(0), "before the set-up");
        SetUp();
        Assert.That(SetCount(), Is.LessThan(0), "after the set-up");
        Assert.That(_platform.SetupPartition(_partition), Is.LessThan(0), "a second time");
        Assert.That(_platform.CreateVirtualProcessor(_partition, 1, 0), Is.LessThan(0), "one more than was said");
    }

    [Test]
    public void Registers_need_a_processor_of_which_there_is_one()
    {
        SetUp();
        using NativeBuffer buffer = new(64);
        Assert.That(Get(buffer, 0, 0x10), Is.EqualTo(SimulatedResults.VpDoesNotExist));
        Assert.That(_platform.CreateVirtualProcessor(_partition, 0, 0), Is.Zero);
        Assert.That(Get(buffer, 0, 0x10), Is.Zero);
        Assert.That(_platform.CreateVirtualProcessor(_partition, 0, 0), Is.EqualTo(SimulatedResults.VpAlreadyExists));
    }

    [Test]
    public void Values_of_registers_begin_at_a_multiple_of_16()
    {
        SetUp();
        _platform.CreateVirtualProcessor(_partition, 0, 0);
        using NativeBuffer buffer = new(64);
        Assert.That(Get(buffer, 8, 0x10), Is.EqualTo(SimulatedResults.InvalidArgument));
        Assert.That(_platform.Violations, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_name_that_is_not_known_fails_the_whole_call()
    {
        SetUp();
        _platform.CreateVirtualProcessor(_partition, 0, 0);
        using NativeBuffer buffer = new(64);
        uint* names = stackalloc uint[] { 0x0, 0x7D };
        var values = (WhvRegisterValue*)buffer.Pointer;
        values[0].Reg64 = 5;
        Assert.That(
            _platform.SetVirtualProcessorRegisters(_partition, 0, names, 2, values), Is.EqualTo(SimulatedResults.InvalidRegisterName));
        Assert.That(Get(buffer, 0, 0), Is.Zero);
        Assert.That(values[0].Reg64, Is.Not.EqualTo(5), "RAX is not written");
    }

    [Test]
    public void The_base_of_an_APIC_that_is_emulated_has_no_access_by_name()
    {
        uint mode = 1;
        Assert.That(_platform.SetPartitionProperty(_partition, 0x1005, &mode, sizeof(uint)), Is.Zero);
        SetUp();
        _platform.CreateVirtualProcessor(_partition, 0, 0);
        using NativeBuffer buffer = new(64);
        Assert.That(Get(buffer, 0, 0x2003), Is.EqualTo(SimulatedResults.AccessDenied));
    }

    [Test]
    public void A_buffer_that_is_too_small_says_how_large_it_must_be()
    {
        SetUp();
        _platform.CreateVirtualProcessor(_partition, 0, 0);
        uint written;
        Assert.That(
            _platform.GetVirtualProcessorXsaveState(_partition, 0, null, 0, &written), Is.EqualTo(SimulatedResults.InsufficientBuffer));
        Assert.That(written, Is.EqualTo(2696));
        Assert.That(_platform.RunVirtualProcessor(_partition, 0, &written, 223), Is.EqualTo(SimulatedResults.InsufficientBuffer));
    }

    [Test]
    public void Memory_is_mapped_by_whole_pages_once_and_not_from_guard_pages()
    {
        SetUp();
        _platform.CreateVirtualProcessor(_partition, 0, 0);
        _windows.CreateMemorySection(0x3000, out nint section);
        _windows.MapWritableView(section, out nint view);
        _windows.Protect(view, 0x1000, 1);
        _windows.Protect(view + 0x2000, 0x1000, 1);
        Assert.That(Map(view, 0, 0x1000), Is.EqualTo(SimulatedResults.AccessDenied), "a guard page");
        Assert.That(Map(view + 0x1000, 0x800, 0x1000), Is.EqualTo(SimulatedResults.InvalidArgument));
        Assert.That(Map(view + 0x1000, 0, 0x800), Is.EqualTo(SimulatedResults.InvalidArgument));
        Assert.That(Map(view + 0x1000, 0, 0x1000), Is.Zero);
        Assert.That(_platform.UnmapGpaRange(_partition, 0x1000, 0x1000), Is.EqualTo(SimulatedResults.GpaRangeNotFound));
        _windows.UnmapView(view);
        Assert.That(_platform.Violations.Single(), Does.Contain("while a partition maps it"));
    }

    [Test]
    public void Memory_without_guard_pages_is_noticed()
    {
        SetUp();
        _platform.CreateVirtualProcessor(_partition, 0, 0);
        _windows.CreateMemorySection(0x1000, out nint section);
        _windows.MapWritableView(section, out nint view);
        Assert.That(Map(view, 0, 0x1000), Is.Zero);
        Assert.That(_platform.Violations.Single(), Does.Contain("without guard pages"));
    }

    [Test]
    public void A_section_has_the_same_bytes_in_every_process()
    {
        string program = Path.GetTempFileName();
        _windows.CreateSuspendedProcess(program, out nint process, out _);
        File.Delete(program);
        _windows.CreateMemorySection(0x1000, out nint section);
        _windows.MapWritableView(section, out nint here);
        Assert.That(_windows.MapViewInProcess(section, process, 4, out nint there), Is.Zero);
        Assert.That(there, Is.Not.EqualTo(here));
        Marshal.WriteInt32(here, 42);
        Assert.That(Marshal.ReadInt32(there), Is.EqualTo(42));
        Assert.That(_windows.UnmapView(there), Is.Not.Zero, "it is no view of this process");
        Assert.That(_windows.UnmapViewInProcess(process, there), Is.Zero);
        Assert.That(_windows.UnmapView(here), Is.Zero);
    }

    [Test]
    public void The_last_page_of_a_files_view_shows_what_is_behind_the_file()
    {
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, [1, 2, 3]);
        _windows.OpenFile(path, out nint file);
        File.Delete(path);
        _windows.CreateReadOnlySection(file, 3, out nint section);
        Assert.That(_windows.MapWritableView(section, out _), Is.EqualTo(SimulatedWindows.AccessDenied));
        Assert.That(_windows.MapReadView(section, out nint view), Is.Zero);
        Assert.That(new ReadOnlySpan<byte>((void*)view, 4096)[..4].ToArray(), Is.EqualTo(new byte[] { 1, 2, 3, 0xAA }));
    }

    [Test]
    public void A_partition_that_runs_cannot_be_deleted()
    {
        using WhpMachine machine = new(WhpMachine.Spin);
        Task<int> deleting = Task.Run(() =>
        {
            while (!machine.Platform.IsAnyRunning)
            {
                Thread.Yield();
            }

            int result = machine.Platform.DeletePartition(machine.Platform.LastHandle);
            machine.Machine.Cancel();
            return result;
        });
        machine.Machine.Run();
        Assert.That(deleting.Result, Is.LessThan(0));
        Assert.That(machine.Windows.Violations, Has.Count.EqualTo(1));
        machine.Windows.Violations.Clear();
    }

    private int SetCount()
    {
        uint one = 1;
        return _platform.SetPartitionProperty(_partition, 0x1FFF, &one, sizeof(uint));
    }

    private void SetUp()
    {
        Assert.That(SetCount(), Is.Zero);
        Assert.That(_platform.SetupPartition(_partition), Is.Zero);
    }

    private int Get(NativeBuffer buffer, int offset, uint name) =>
        _platform.GetVirtualProcessorRegisters(_partition, 0, &name, 1, (WhvRegisterValue*)(buffer.Pointer + offset));

    private int Map(nint source, ulong address, ulong size) => _platform.MapGpaRange(_partition, (void*)source, address, size, 3);
}
