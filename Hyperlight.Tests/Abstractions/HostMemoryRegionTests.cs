using System.Buffers;
using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Abstractions;

/// <summary>Memory that the application gives.</summary>
[TestFixture]
internal sealed unsafe class HostMemoryRegionTests
{
    private nint _memory;

    [SetUp]
    public void Allocate()
    {
        _memory = (nint)NativeMemory.AlignedAlloc(0x2000, 0x1000);
        new Span<byte>((void*)_memory, 0x2000).Fill(7);
    }

    [TearDown]
    public void Free() => NativeMemory.AlignedFree((void*)_memory);

    [Test]
    public void Reads_are_bounds_checked()
    {
        using HostMemoryRegion region = HostMemoryRegion.FromPointer(_memory, 0x2000);
        byte[] bytes = new byte[0x2000];

        region.Read(0, bytes);

        Assert.That(bytes, Is.All.EqualTo(7));
        Assert.That(region.Kind, Is.EqualTo(MemoryRegionKind.Host));
        Assert.That(region.Handle.DangerousGetHandle(), Is.EqualTo(_memory));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(1, bytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(nuint.MaxValue, new byte[1]));
        Assert.Throws<NotSupportedException>(() => region.Write(0, [1]));
        Assert.Throws<NotSupportedException>(() => region.Clear(0, 1));
        Assert.Throws<NotSupportedException>(() => region.GetSpan(0, 1));
    }

    [Test]
    public void Memory_is_released_once()
    {
        int released = 0;
        HostMemoryRegion region = HostMemoryRegion.FromPointer(_memory, 0x2000, () => released++);
        bool held = false;
        region.Handle.DangerousAddRef(ref held);

        region.Dispose();
        region.Dispose();

        Assert.That(released, Is.Zero);
        region.Handle.DangerousRelease();
        Assert.That(released, Is.EqualTo(1));
        Assert.Throws<ObjectDisposedException>(() => region.Read(0, new byte[1]));
    }

    [TestCase(0, 0x1000)]
    [TestCase(0x1001, 0x1000)]
    [TestCase(0x1000, 0)]
    [TestCase(0x1000, 0x1001)]
    [TestCase(-0x1000, 0x2000)]
    public void Memory_must_consist_of_whole_pages(long address, long size)
    {
        int released = 0;

        Assert.That(
            () => HostMemoryRegion.FromPointer((nint)address, (nuint)size, () => released++), Throws.ArgumentException);

        Assert.That(released, Is.Zero);
    }

    [Test]
    public void Managed_memory_is_pinned_and_unpinned()
    {
        byte[] array = GC.AllocateArray<byte>(0x3000, pinned: true);
        nint address = Marshal.UnsafeAddrOfPinnedArrayElement(array, 0);
        int start = (int)(GuestPage.RoundUp((ulong)address) - (ulong)address);

        using (HostMemoryRegion region = HostMemoryRegion.Pin(array.AsMemory(start, 0x2000)))
        {
            Assert.That(region.Handle.DangerousGetHandle(), Is.EqualTo(address + start));
        }

        Assert.That(() => HostMemoryRegion.Pin(array.AsMemory(start + 8, 0x1000)), Throws.ArgumentException);
        Assert.That(() => HostMemoryRegion.Pin(array.AsMemory(start, 0x1001)), Throws.ArgumentException);
        Assert.That(() => HostMemoryRegion.Pin(default), Throws.ArgumentException);
    }

    [TestCase(0, 0x1000, true)]
    [TestCase(8, 0x1000, false)]
    [TestCase(0, 0x1001, false)]
    [TestCase(0, 0, false)]
    public void Memory_stays_pinned_only_while_a_region_has_it(int start, int length, bool isAccepted)
    {
        using var owner = new CountingMemory((byte*)_memory, 0x2000);
        Memory<byte> memory = owner.Memory.Slice(start, length);

        if (isAccepted)
        {
            using HostMemoryRegion region = HostMemoryRegion.Pin(memory);
            Assert.That((owner.Pins, owner.Unpins), Is.EqualTo((1, 0)));
        }
        else
        {
            Assert.That(() => HostMemoryRegion.Pin(memory), Throws.ArgumentException);
        }

        Assert.That(owner.Pins, Is.EqualTo(1));
        Assert.That(owner.Unpins, Is.EqualTo(1));
    }

    /// <summary>Native memory that counts how often it is pinned.</summary>
    private sealed class CountingMemory(byte* address, int length) : MemoryManager<byte>
    {
        public int Pins { get; private set; }

        public int Unpins { get; private set; }

        public override Span<byte> GetSpan() => new(address, length);

        public override MemoryHandle Pin(int elementIndex = 0)
        {
            Pins++;
            return new MemoryHandle(address + elementIndex, pinnable: this);
        }

        public override void Unpin() => Unpins++;

        protected override void Dispose(bool disposing)
        {
        }
    }
}
