using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Kvm;

/// <summary>Files in a guest on the machine's own KVM.</summary>
internal sealed class GuestFileMappingTests
{
    private const ulong FileAddress = 0x40_0000;

    private KvmHypervisor _kvm = null!;
    private string _path = null!;

    [SetUp]
    public void Create()
    {
        _kvm = RealKvm.Open();
        _path = Path.GetTempFileName();
        File.WriteAllBytes(_path, [.. Enumerable.Repeat((byte)0x5A, 5000)]);
    }

    [TearDown]
    public void Destroy()
    {
        _kvm?.Dispose();
        if (_path is not null)
        {
            File.Delete(_path);
        }
    }

    [Test]
    public void GuestReadsTheFileAndZerosBehindItAndCannotWrite()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            c.mov(ebx, (uint)FileAddress);
            c.mov(eax, __[rbx + 4996]);
            c.@out(0x64, eax);
            c.mov(eax, __[rbx + 5000]);
            c.@out(0x64, eax);
            c.mov(__[rbx], eax);
        });
        using IMemoryRegion region = Map(guest);

        Assert.Multiple(() =>
        {
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x5A5A_5A5A, 4)));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0, 4)));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.MmioWrite(FileAddress, 0, 4)));
            Assert.That(File.ReadAllBytes(_path), Is.All.EqualTo(0x5A));
        });
    }

    [Test]
    public void MappingSurvivesTheRegionAndItsHypervisor()
    {
        using LongModeGuest guest = NewReader();
        Map(guest).Dispose();

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x5A5A_5A5A, 4)));
    }

    [Test]
    public void UnmappedFileIsGoneAndItsAddressFree()
    {
        using LongModeGuest guest = NewReader();
        using IMemoryRegion region = Map(guest);
        guest.Machine.UnmapMemory(2);

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.MmioRead(FileAddress, 4)));

        guest.Restart();
        using IMemoryRegion again = Map(guest);
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 0x5A5A_5A5A, 4)));
    }

    /// <summary>KVM either says that the host's memory is gone, or emulates the access and finds nothing there.</summary>
    [Test]
    public void FileThatWasShortenedIsAnExitAndNotTheEndOfTheProcess()
    {
        using LongModeGuest guest = NewReader();
        using IMemoryRegion region = Map(guest);
        using (FileStream stream = File.OpenWrite(_path))
        {
            stream.SetLength(0);
        }

        Assert.That(
            guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.AccessViolation).Or.EqualTo(VmExitReason.MmioRead));
    }

    private IMemoryRegion Map(LongModeGuest guest)
    {
        using IPreparedMapping prepared = _kvm.PrepareFileMapping(_path, FileAddress);
        guest.Machine.MapMemory(2, prepared.ToGuestMapping());
        return prepared.Consume();
    }

    private LongModeGuest NewReader() => new(_kvm, static c =>
    {
        c.mov(eax, __[FileAddress]);
        c.@out(0x64, eax);
    });
}
