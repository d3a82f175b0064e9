using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Tests.Kvm;

namespace Hyperlight.Tests.Linux;

/// <summary>Anonymous memory of the machine's own kernel.</summary>
internal sealed class LinuxMemoryRegionTests
{
    private const int Page = GuestPage.Size;

    [SetUp]
    public void RequireLinux() => RealLinux.Require();

    [Test]
    public void NewRegionIsZeroAlignedAndOfItsSize()
    {
        using LinuxMemoryRegion region = Allocate(3 * Page);

        Assert.Multiple(() =>
        {
            Assert.That(region.Size, Is.EqualTo((nuint)(3 * Page)));
            Assert.That(region.Kind, Is.EqualTo(MemoryRegionKind.Anonymous));
            Assert.That((ulong)region.Handle.DangerousGetHandle() % Page, Is.Zero);
            Assert.That(region.GetSpan(0, 3 * Page).IndexOfAnyExcept((byte)0), Is.EqualTo(-1));
        });
    }

    [Test]
    public void WhatIsWrittenIsRead()
    {
        using LinuxMemoryRegion region = Allocate(2 * Page);
        byte[] read = new byte[4];

        region.Write(Page - 2, [1, 2, 3, 4]);
        region.Read(Page - 2, read);

        Assert.Multiple(() =>
        {
            Assert.That(read, Is.EqualTo(new byte[] { 1, 2, 3, 4 }));
            Assert.That(region.GetSpan(Page, 2).ToArray(), Is.EqualTo(new byte[] { 3, 4 }));
        });
    }

    [TestCase(0ul, 8193)]
    [TestCase(8192ul, 1)]
    [TestCase(8193ul, 0)]
    [TestCase(8191ul, 2)]
    [TestCase(ulong.MaxValue, 1)]
    [TestCase(ulong.MaxValue, 0)]
    public void RangesThatLeaveTheRegionAreRefused(ulong offset, int length)
    {
        using LinuxMemoryRegion region = Allocate(2 * Page);
        byte[] buffer = new byte[length];
        nuint start = (nuint)offset;

        Assert.Multiple(() =>
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(start, buffer));
            Assert.Throws<ArgumentOutOfRangeException>(() => region.Write(start, buffer));
            Assert.Throws<ArgumentOutOfRangeException>(() => region.Clear(start, (nuint)length));
            Assert.Throws<ArgumentOutOfRangeException>(() => region.GetSpan(start, length));
        });
    }

    [Test]
    public void EmptyRangeAtTheEndIsAllowed()
    {
        using LinuxMemoryRegion region = Allocate(Page);

        Assert.That(region.GetSpan(Page, 0).IsEmpty, Is.True);
    }

    [Test]
    public void NegativeLengthIsRefused()
    {
        using LinuxMemoryRegion region = Allocate(Page);

        Assert.Throws<ArgumentOutOfRangeException>(() => region.GetSpan(0, -1));
    }

    /// <summary>The kernel is asked to copy there: it answers EFAULT where the process would be ended.</summary>
    [Test]
    public unsafe void PagesOnBothSidesAreInaccessible()
    {
        using LinuxMemoryRegion region = Allocate(2 * Page);
        byte* start = (byte*)region.Handle.DangerousGetHandle();
        int zero = LinuxKernel.Instance.Open("/dev/zero", 0);
        try
        {
            Assert.Multiple(() =>
            {
                Assert.That(CopyTo(zero, start), Is.EqualTo(1));
                Assert.That(CopyTo(zero, start + (2 * Page) - 1), Is.EqualTo(1));
                Assert.That(CopyTo(zero, start - 1), Is.EqualTo(-Errno.EFAULT));
                Assert.That(CopyTo(zero, start - Page), Is.EqualTo(-Errno.EFAULT));
                Assert.That(CopyTo(zero, start + (2 * Page)), Is.EqualTo(-Errno.EFAULT));
                Assert.That(CopyTo(zero, start + (3 * Page) - 1), Is.EqualTo(-Errno.EFAULT));
            });
        }
        finally
        {
            LinuxKernel.Instance.Close(zero);
        }
    }

    [TestCase(0, 4 * Page)]
    [TestCase(10, 20)]
    [TestCase(Page, Page)]
    [TestCase(100, 3 << 20)]
    [TestCase(Page, 2 << 20)]
    [TestCase(1, (2 << 20) - 1)]
    [TestCase(1, 2 << 20)]
    public void ClearedBytesAreZeroAndNoOthers(int offset, int length)
    {
        const int Size = 4 << 20;
        using LinuxMemoryRegion region = Allocate(Size);
        region.GetSpan(0, Size).Fill(0xAA);

        region.Clear((nuint)offset, (nuint)length);

        Span<byte> bytes = region.GetSpan(0, Size);
        Assert.That(
            (bytes[..offset].IndexOfAnyExcept((byte)0xAA),
                bytes.Slice(offset, length).IndexOfAnyExcept((byte)0),
                bytes[(offset + length)..].IndexOfAnyExcept((byte)0xAA)),
            Is.EqualTo((-1, -1, -1)));
    }

    [Test]
    public void ClearWorksWhereMemoryCannotBeGivenBack()
    {
        const int Size = 2 << 20;
        FailingKernel kernel = new(LinuxKernel.Instance, failAt: 3, Errno.EINVAL);
        using LinuxMemoryRegion region = LinuxMemoryRegion.Allocate(kernel, "test", Size);
        region.GetSpan(0, Size).Fill(0xAA);

        region.Clear(0, Size);

        Assert.Multiple(() =>
        {
            Assert.That(kernel.FailedCall, Is.EqualTo("madvise"));
            Assert.That(region.GetSpan(0, Size).IndexOfAnyExcept((byte)0), Is.EqualTo(-1));
        });
    }

    [TestCase(0ul)]
    [TestCase(1ul)]
    [TestCase(4097ul)]
    [TestCase(ulong.MaxValue - 4095)]
    public void ImpossibleSizesAreRefused(ulong size) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Allocate((nuint)size));

    [Test]
    public void MemoryThatTheKernelDoesNotHaveIsATypedError()
    {
        HypervisorException? error = Assert.Throws<HypervisorException>(() => Allocate((nuint)1 << 48));

        Assert.Multiple(() =>
        {
            Assert.That(error!.Operation, Is.EqualTo("mmap"));
            Assert.That(error.ErrorCode, Is.EqualTo(Errno.ENOMEM));
            Assert.That(error.Remedy, Is.Not.Null);
        });
    }

    [Test]
    public void DisposedRegionIsRefusedEverywhere()
    {
        LinuxMemoryRegion region = Allocate(Page);
        region.Dispose();

        Assert.Multiple(() =>
        {
            Assert.Throws<ObjectDisposedException>(() => region.Read(0, new byte[1]));
            Assert.Throws<ObjectDisposedException>(() => region.Write(0, new byte[1]));
            Assert.Throws<ObjectDisposedException>(() => region.Clear(0, 1));
            Assert.Throws<ObjectDisposedException>(() => region.GetSpan(0, 1));
            Assert.Throws<ObjectDisposedException>(region.MakeReadOnly);
        });
    }

    [Test]
    public void SimultaneousDisposalsReleaseOnce()
    {
        FakeKvmKernel kernel = new();
        for (int i = 0; i < 100; i++)
        {
            LinuxMemoryRegion region = LinuxMemoryRegion.Allocate(kernel, "test", Page);
            Parallel.For(0, 4, _ => region.Dispose());
        }

        Assert.Multiple(() =>
        {
            Assert.That(kernel.Violations, Is.Empty);
            Assert.That(kernel.Journal.Count(static call => call == "munmap"), Is.EqualTo(100));
        });
    }

    [Test]
    public void FailuresLeaveNoMappingAndNameTheCall([Values(1, 2)] int failAt)
    {
        FakeKvmKernel fake = new();
        FailingKernel kernel = new(fake, failAt, Errno.ENOMEM);

        HypervisorException? error = Assert.Throws<HypervisorException>(
            () => LinuxMemoryRegion.Allocate(kernel, "test", Page));

        Assert.Multiple(() =>
        {
            Assert.That(error!.Operation, Is.EqualTo(kernel.FailedCall));
            Assert.That(fake.LiveMappings, Is.Zero);
        });
    }

    [Test]
    public void ReadOnlyRegionIsProtectedByTheKernelAndRefusesWrites()
    {
        using LinuxMemoryRegion region = Allocate(2 * Page);
        region.Write(Page, [1, 2, 3]);

        region.MakeReadOnly();
        region.MakeReadOnly();

        byte[] read = new byte[3];
        region.Read(Page, read);
        string start = ((ulong)region.Handle.DangerousGetHandle()).ToString("x", System.Globalization.CultureInfo.InvariantCulture);
        Assert.Multiple(() =>
        {
            Assert.That(read, Is.EqualTo(new byte[] { 1, 2, 3 }));
            Assert.That(
                File.ReadLines("/proc/self/maps").Single(l => l.StartsWith(start + "-", StringComparison.Ordinal)),
                Does.Contain(" r--p "));
            Assert.Throws<NotSupportedException>(() => region.Write(0, new byte[1]));
            Assert.Throws<NotSupportedException>(() => region.Clear(0, 1));
            Assert.Throws<NotSupportedException>(() => region.GetSpan(0, 1));
        });
    }

    [Test]
    public void RefusedProtectionLeavesTheRegionWritable()
    {
        FailingKernel kernel = new(new FakeKvmKernel(), failAt: 3, Errno.ENOMEM);
        using LinuxMemoryRegion region = LinuxMemoryRegion.Allocate(kernel, "test", Page);

        HypervisorException? error = Assert.Throws<HypervisorException>(region.MakeReadOnly);

        Assert.That(error!.Operation, Is.EqualTo("mprotect"));
        region.Write(0, [1]);
    }

    private static LinuxMemoryRegion Allocate(nuint size) => LinuxMemoryRegion.Allocate(LinuxKernel.Instance, "test", size);

    private static unsafe int CopyTo(int fd, byte* address) =>
        (int)LinuxKernel.Instance.ReadAt(fd, new Span<byte>(address, 1), 0);
}
