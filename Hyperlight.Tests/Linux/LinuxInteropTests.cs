using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Tests.Linux;

/// <summary>Structures and constants against those of the kernel's headers on x86-64.</summary>
internal sealed class LinuxInteropTests
{
    [Test]
    public void StructuresHaveTheLayoutOfTheHeaders() => Assert.Multiple(static () =>
    {
        Assert.That(Unsafe.SizeOf<Stat>(), Is.EqualTo(144));
        Assert.That((int)Marshal.OffsetOf<Stat>(nameof(Stat.Mode)), Is.EqualTo(24));
        Assert.That((int)Marshal.OffsetOf<Stat>(nameof(Stat.Size)), Is.EqualTo(48));
        Assert.That(Unsafe.SizeOf<TimeSpec>(), Is.EqualTo(16));
        Assert.That((int)Marshal.OffsetOf<TimeSpec>(nameof(TimeSpec.Nanoseconds)), Is.EqualTo(8));
    });

    [TestCase(Errno.ENOENT, "ENOENT", "No such file or directory")]
    [TestCase(Errno.EACCES, "EACCES", "Permission denied")]
    [TestCase(Errno.ENOMEM, "ENOMEM", "Cannot allocate memory")]
    [TestCase(Errno.EINVAL, "EINVAL", "Invalid argument")]
    [TestCase(Errno.EHWPOISON, "EHWPOISON", "hardware error")]
    public void ErrorsHaveNameAndText(int error, string name, string text)
    {
        RealLinux.Require();
        Assert.That(Errno.Describe(error), Does.StartWith(name + ", ").And.Contain(text));
    }

    [Test]
    public void UnlistedErrorHasItsText()
    {
        RealLinux.Require();
        Assert.That(Errno.Describe(36), Is.EqualTo("File name too long"));
    }

    [Test]
    public void ExceptionCarriesCodeWordsAndRemedy()
    {
        HypervisorException error = Errno.ToException("kvm", "KVM_CREATE_VM", Errno.EMFILE);

        Assert.Multiple(() =>
        {
            Assert.That(error.Driver, Is.EqualTo("kvm"));
            Assert.That(error.Operation, Is.EqualTo("KVM_CREATE_VM"));
            Assert.That(error.ErrorCode, Is.EqualTo(Errno.EMFILE));
            Assert.That(error.Message, Does.Contain("EMFILE").And.Contain("ulimit -n"));
        });
    }
}
