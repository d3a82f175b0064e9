using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>Files in the emulator's machine, page by page.</summary>
[TestFixture]
internal sealed class FileRegionTests
{
    private const ulong FileAddress = 0x40_0000;

    private readonly EmulatorHypervisor _emulator = new();
    private string _path = null!;

    [SetUp]
    public void CreateFile()
    {
        _path = Path.GetTempFileName();
        File.WriteAllBytes(_path, [.. Enumerable.Repeat((byte)0x5A, 5000)]);
    }

    [TearDown]
    public void DeleteFile() => File.Delete(_path);

    [Test]
    public void Content_is_read_and_the_rest_of_the_last_page_is_zero()
    {
        using IPreparedMapping prepared = _emulator.PrepareFileMapping(_path, FileAddress);
        IMemoryRegion region = prepared.ToGuestMapping().Region;
        byte[] bytes = new byte[8192];
        Array.Fill(bytes, (byte)0xEE);

        region.Read(0, bytes);

        Assert.That(region.Size, Is.EqualTo((nuint)8192));
        Assert.That(bytes, Is.EqualTo(File.ReadAllBytes(_path).Concat(new byte[3192])));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(8000, new byte[193]));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(nuint.MaxValue, new byte[2]));
        Assert.Throws<NotSupportedException>(() => region.Write(0, [1]));
        Assert.Throws<NotSupportedException>(() => region.Clear(0, 1));
        Assert.Throws<NotSupportedException>(() => region.GetSpan(0, 1));
    }

    [Test]
    public void Addresses_and_labels_are_checked_before_the_file_is_opened()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _emulator.PrepareFileMapping("/missing", 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _emulator.PrepareFileMapping("/missing", 1UL << 36));
        Assert.Throws<ArgumentException>(() => _emulator.PrepareFileMapping("/missing", 0, "a\0b"));
        Assert.Throws<ArgumentException>(() => _emulator.PrepareFileMapping(string.Empty, 0));
        Assert.Throws<FileMappingException>(() => _emulator.PrepareFileMapping("/missing", 0));
    }

    [Test]
    public void Unsuitable_files_are_typed_errors()
    {
        File.WriteAllBytes(_path, []);

        Assert.That(() => _emulator.PrepareFileMapping(_path, 0), Throws.TypeOf<FileMappingException>().With.Message.Contains("empty"));
        Assert.That(() => _emulator.PrepareFileMapping(Path.GetTempPath(), 0), Throws.TypeOf<FileMappingException>());
    }

    [Test]
    [Platform("Linux", Reason = "There are no such devices elsewhere.")]
    public void A_device_is_refused_without_opening_it() =>
        Assert.That(() => _emulator.PrepareFileMapping("/dev/zero", 0), Throws.TypeOf<FileMappingException>());

    [Test]
    public void The_guest_reads_the_file_and_zeros_behind_it_and_cannot_write()
    {
        using LongModeGuest guest = new(_emulator, static c =>
        {
            c.mov(ebx, (uint)FileAddress);
            c.mov(eax, __[rbx + 4996]);
            c.@out(0x64, eax);
            c.mov(eax, __[rbx + 5000]);
            c.@out(0x64, eax);
            c.mov(__[rbx], eax);
        });
        using IMemoryRegion region = Map(guest);

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x5A5A_5A5A, 4)));
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0, 4)));
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.MmioWrite(FileAddress, 0, 4)));
        Assert.That(File.ReadAllBytes(_path), Is.All.EqualTo(0x5A));
    }

    [Test]
    public void The_mapping_survives_its_region_until_it_is_unmapped()
    {
        using LongModeGuest guest = NewReader();
        IMemoryRegion region = Map(guest);
        region.Dispose();

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x5A5A_5A5A, 4)));

        guest.Machine.UnmapMemory(2);
        Assert.Throws<ObjectDisposedException>(() => region.Read(0, new byte[1]));
        guest.Restart();
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.MmioRead(FileAddress, 4)));
    }

    [Test]
    public void A_page_is_read_once_and_keeps_its_contents()
    {
        using LongModeGuest guest = NewReader();
        using IMemoryRegion region = Map(guest);
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x5A5A_5A5A, 4)));
        using (FileStream stream = new(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.Write(new byte[5000]);
        }


        guest.Restart();

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x5A5A_5A5A, 4)));
    }

    [Test]
    public void A_file_that_was_shortened_ends_the_run()
    {
        using LongModeGuest guest = NewReader();
        using IMemoryRegion region = Map(guest);
        Truncate();

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.AccessViolation(FileAddress, MemoryFlags.Read)));
    }

    [Test]
    public void Code_in_a_file_that_was_shortened_ends_the_run()
    {
        using LongModeGuest guest = new(_emulator, static c => c.jmp(FileAddress));
        using IMemoryRegion region = Map(guest);
        Truncate();

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.AccessViolation(FileAddress, MemoryFlags.Execute)));
    }

    /// <summary>Touching a view of a file that was shortened would end the process: the emulator never touches one.</summary>
    [Test]
    public void A_view_that_another_driver_made_is_safe_too()
    {
        RealLinux.Require();
        using LongModeGuest guest = NewReader();
        using PreparedMapping prepared =
            LinuxFileMapping.Prepare(LinuxKernel.Instance, "test", _path, FileAddress, null, LibC.PROT_READ);
        guest.Machine.MapMemory(2, prepared.ToGuestMapping());
        prepared.Consume().Dispose();
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x5A5A_5A5A, 4)), "also after the region was disposed");
        guest.Machine.UnmapMemory(2);

        guest.Restart();
        using PreparedMapping again =
            LinuxFileMapping.Prepare(LinuxKernel.Instance, "test", _path, FileAddress, null, LibC.PROT_READ);
        guest.Machine.MapMemory(2, again.ToGuestMapping());
        Truncate();
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.AccessViolation(FileAddress, MemoryFlags.Read)));
    }

    [Test]
    public void A_file_system_that_fails_reads_ends_the_run()
    {
        RealLinux.Require();
        var kernel = new UnreadableFiles();
        using LongModeGuest guest = NewReader();
        Assert.That(
            () => LinuxFileMapping.Prepare(kernel, "test", _path, FileAddress, null, LibC.PROT_READ),
            Throws.TypeOf<FileMappingException>().With.Property("ErrorCode").EqualTo(Errno.EIO),
            "a file that ends within a page is read when it is mapped");
        File.WriteAllBytes(_path, new byte[GuestPage.Size]);
        using PreparedMapping prepared = LinuxFileMapping.Prepare(kernel, "test", _path, FileAddress, null, LibC.PROT_READ);

        guest.Machine.MapMemory(2, prepared.ToGuestMapping());

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.AccessViolation(FileAddress, MemoryFlags.Read)));
    }

    [Test]
    public void Memory_beyond_two_gibibytes_is_allocated_and_costs_nothing_until_it_is_used()
    {
        const nuint Size = (nuint)3 << 30;
        long before = ProcessResources.Count().ResidentKilobytes;
        using IMemoryRegion region = _emulator.AllocateMemory(Size);

        region.Write(Size - 8, [1, 2, 3, 4, 5, 6, 7, 8]);
        byte[] bytes = new byte[16];
        region.Read(Size - 16, bytes);

        Assert.That(bytes, Is.EqualTo(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 }));
        Assert.That(ProcessResources.Count().ResidentKilobytes - before, Is.LessThan(64 * 1024));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Write(Size - 7, bytes.AsSpan(0, 8)));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.GetSpan(nuint.MaxValue, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _emulator.AllocateMemory(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => _emulator.AllocateMemory(0x1001));
    }

    private void Truncate()
    {
        using FileStream stream = new(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        stream.SetLength(0);
    }

    private IMemoryRegion Map(LongModeGuest guest)
    {
        using IPreparedMapping prepared = _emulator.PrepareFileMapping(_path, FileAddress);
        guest.Machine.MapMemory(2, prepared.ToGuestMapping());
        return prepared.Consume();
    }

    private LongModeGuest NewReader() => new(_emulator, static c =>
    {
        c.mov(eax, __[FileAddress]);
        c.@out(0x64, eax);
    });

    private sealed class UnreadableFiles() : ForwardingKernel(LinuxKernel.Instance)
    {
        public override nint ReadAt(int fd, Span<byte> buffer, long offset) => -Errno.EIO;
    }
}
