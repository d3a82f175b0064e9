using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;
using Hyperlight.Mshv;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>The protection of file views: what each of the two Linux hypervisors needs, and never more.</summary>
[TestFixture]
internal sealed class MshvFileMappingTests
{
    private string _path = null!;

    [SetUp]
    public void CreateFile()
    {
        RealLinux.Require();
        _path = System.IO.Path.GetTempFileName();
        File.WriteAllBytes(_path, [1, 2, 3]);
    }

    [TearDown]
    public void DeleteFile() => File.Delete(_path ?? string.Empty);

    [Test]
    public void Mshv_pins_pages_for_writing_so_its_private_view_is_writable()
    {
        var kernel = new RecordingKernel();
        using IPreparedMapping mapping = new MshvHypervisor(kernel).PrepareFileMapping(_path, 0);

        Assert.That(kernel.Protections, Is.EqualTo(new[] { LibC.PROT_READ | LibC.PROT_WRITE }));
        Assert.That(kernel.Flags.Single() & (LibC.MAP_PRIVATE | LibC.MAP_SHARED), Is.EqualTo(LibC.MAP_PRIVATE));
        Assert.That(mapping.ToGuestMapping().Flags, Is.EqualTo(MemoryFlags.Read | MemoryFlags.Execute));
    }

    [Test]
    public void Kvm_only_reads()
    {
        var kernel = new RecordingKernel();
        using KvmHypervisor kvm = new(kernel);
        using IPreparedMapping mapping = kvm.PrepareFileMapping(_path, 0);

        Assert.That(kernel.Protections, Is.EqualTo(new[] { LibC.PROT_READ }));
        Assert.That(kernel.Flags.Single() & (LibC.MAP_PRIVATE | LibC.MAP_SHARED), Is.EqualTo(LibC.MAP_PRIVATE));
    }

    /// <summary>Sees what mmap is asked for.</summary>
    private sealed class RecordingKernel() : ForwardingKernel(LinuxKernel.Instance)
    {
        public List<int> Protections { get; } = [];

        public List<int> Flags { get; } = [];

        public override nint MapMemory(nuint length, int protection, int flags, int fd)
        {
            Protections.Add(protection);
            Flags.Add(flags);
            return base.MapMemory(length, protection, flags, fd);
        }
    }
}
