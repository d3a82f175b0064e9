using System.Buffers.Binary;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>
/// What the simulated kernel refuses and does by itself, as /dev/mshv would: the driver's tests are worth as much as this. It is
/// asked by bytes, without the driver.
/// </summary>
[TestFixture]
internal sealed class MshvKernelTests
{
    private const byte Writable = 1;
    private const byte Unmap = 4;
    private const ushort SetPartitionProperty = 0x45;
    private const uint Rax = 0x0002_0000;
    private const uint Rip = 0x0002_0010;
    private const uint Rflags = 0x0002_0011;
    private const uint NotThere = 0x0008_0099;

    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [Test]
    public void A_hypercall_has_the_partition_number_written_and_its_reserved_fields_checked()
    {
        using RawMshv raw = new();
        (int partition, int vp) = raw.CreatePartition();
        byte[] input = new byte[20];
        BinaryPrimitives.WriteUInt32LittleEndian(input.AsSpan(16), Rax);
        byte[] output = new byte[16];

        Assert.That(raw.Hypercall(vp, 0x50, 1, input, output, reserved: 1).Result, Is.EqualTo(-Errno.EINVAL));
        Assert.That(raw.Hypercall(vp, 0x51 + 0x100, 1, input, output).Result, Is.EqualTo(-Errno.EINVAL), "a code that is not passed through");
        Assert.That(raw.Hypercall(vp, SetPartitionProperty, 0, new byte[24], []).Result, Is.EqualTo(-Errno.EINVAL), "not on a processor");
        Assert.That(raw.Hypercall(partition, 0x50, 1, input.AsSpan(0, 4), output).Result, Is.EqualTo(-Errno.EINVAL), "too short");
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(input), Is.Zero, "none was passed on");
        Assert.That(raw.Hypercall(vp, 0x50, 1, input, output), Is.EqualTo((0, (ushort)0, (ushort)1)));
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(input), Is.Not.Zero);
    }

    [Test]
    public void A_register_that_is_not_there_fails_the_call_at_its_index_with_a_status_and_an_error()
    {
        using RawMshv raw = new();
        (_, int vp) = raw.CreatePartition();

        (int result, ushort status, ushort reps, _) = raw.GetRegisters(vp, Rax, Rip, NotThere, Rflags);

        Assert.That((result, status, reps), Is.EqualTo((-Errno.EIO, (ushort)5, (ushort)2)));
    }

    [Test]
    public void Repetitions_are_completed_in_part_and_a_shortage_of_memory_is_to_be_tried_again()
    {
        using RawMshv raw = new(static traits => traits.RepsAtOnce = 2);
        (_, int vp) = raw.CreatePartition();
        raw.Kernel.Traits.MemoryShortages = 1;

        Assert.That(raw.GetRegisters(vp, Rax, Rip, Rflags) is { Result: -Errno.EAGAIN, Status: 11, Reps: 0 });
        Assert.That(raw.GetRegisters(vp, Rax, Rip, Rflags) is { Result: 0, Status: 0, Reps: 2 });
    }

    [Test]
    public void Mappings_must_not_overlap_and_are_removed_as_they_were_made()
    {
        using RawMshv raw = new();
        (int partition, _) = raw.CreatePartition();
        nint host = raw.Kernel.MapMemory(0x4000, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED | LibC.MAP_ANONYMOUS, -1);

        Assert.Multiple(() =>
        {
            Assert.That(raw.SetMemory(partition, 0x1000, host, 0x2000, Writable), Is.Zero);
            Assert.That(raw.SetMemory(partition, 0x2000, host + 0x2000, 0x1000, Writable), Is.EqualTo(-Errno.EEXIST));
            Assert.That(raw.SetMemory(partition, 0x1000, host, 0x1000, Unmap), Is.EqualTo(-Errno.EINVAL), "another size");
            Assert.That(raw.SetMemory(partition, 0x2000, host + 0x1000, 0x1000, Unmap), Is.EqualTo(-Errno.EINVAL), "a part");
            Assert.That(raw.SetMemory(partition, 0x1000, host + 0x1000, 0x2000, Unmap), Is.EqualTo(-Errno.EINVAL), "other host memory");
            Assert.That(raw.SetMemory(partition, 0x8000, host, 0x1800, Writable), Is.EqualTo(-Errno.EINVAL), "not whole pages");
            Assert.That(raw.SetMemory(partition, 0x8000, host + 8, 0x1000, Writable), Is.EqualTo(-Errno.EINVAL), "not at a page");
            Assert.That(raw.SetMemory(partition, 0x8000, host, 0x1000, Writable, reserved: 1), Is.EqualTo(-Errno.EINVAL));
            Assert.That(raw.SetMemory(partition, 0x8000, host, 0x1000, 8), Is.EqualTo(-Errno.EINVAL), "an unknown flag");
            Assert.That(raw.SetMemory(partition, 0x1000, host, 0x2000, Unmap), Is.Zero);
            Assert.That(raw.SetMemory(partition, 0x1000, host, 0x2000, Unmap), Is.EqualTo(-Errno.EINVAL));
        });
        raw.Kernel.UnmapMemory(host, 0x4000);
    }

    [Test]
    public void Memory_that_is_pinned_must_not_be_replaced_or_unmapped()
    {
        using RawMshv raw = new();
        (int partition, _) = raw.CreatePartition();
        nint host = raw.Kernel.MapMemory(0x1000, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED | LibC.MAP_ANONYMOUS, -1);
        Assert.That(raw.SetMemory(partition, 0x1000, host, 0x1000, Writable), Is.Zero);

        raw.Kernel.AdviseMemory(host, 0x1000, LibC.MADV_DONTNEED);
        raw.Kernel.UnmapMemory(host, 0x1000);

        Assert.That(raw.Kernel.Violations, Has.Count.EqualTo(2));
    }

    [Test]
    public void Memory_that_the_host_cannot_write_cannot_be_pinned()
    {
        using RawMshv raw = new();
        (int partition, _) = raw.CreatePartition();
        nint host = raw.Kernel.MapMemory(0x1000, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED | LibC.MAP_ANONYMOUS, -1);
        raw.Kernel.ProtectMemory(host, 0x1000, LibC.PROT_READ);

        Assert.That(raw.SetMemory(partition, 0x1000, host, 0x1000, 0), Is.EqualTo(-Errno.EFAULT));
        raw.Kernel.UnmapMemory(host, 0x1000);
    }

    [Test]
    public void Early_properties_are_refused_once_the_partition_is_initialised()
    {
        using RawMshv raw = new();
        (int partition, _) = raw.CreatePartition();
        byte[] input = new byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(input.AsSpan(8), 0x0001_0001);

        Assert.That(raw.Hypercall(partition, SetPartitionProperty, 0, input, []), Is.EqualTo((-Errno.EIO, (ushort)7, (ushort)0)));
        Assert.That(raw.Kernel.Ioctl(partition, SimulatedRequests.InitializePartition, 0), Is.EqualTo(-Errno.EINVAL));
        Assert.That(raw.Ioctl(partition, SimulatedRequests.CreateVp, new byte[4]), Is.EqualTo(-Errno.EEXIST));
        Assert.That(raw.Ioctl(partition, SimulatedRequests.CreateVp, [1, 0, 0, 0]), Is.EqualTo(-Errno.EINVAL));
    }

    [TestCase(7UL, 0x8UL)]
    [TestCase(0x3FUL, 0x40UL)]
    public void Unknown_flags_of_a_partition_are_refused(ulong known, ulong unknown)
    {
        using RawMshv raw = new(traits => traits.KnownCreateFlags = known);
        Assert.That(raw.Create(unknown, banks: 2), Is.EqualTo(-Errno.EINVAL));
        Assert.That(raw.Create(7, banks: 9), Is.GreaterThan(0), "without the flag the rest is not read");
    }

    [Test]
    public void The_longer_structure_has_the_number_of_the_shorter_one_and_is_checked()
    {
        using RawMshv raw = new(static traits => traits.KnownCreateFlags = 0x3F);
        Assert.That(raw.Create(8, banks: 1), Is.EqualTo(-Errno.EINVAL));
        Assert.That(raw.Create(8, banks: 2, reserved: 1), Is.EqualTo(-Errno.EINVAL));
        Assert.That(raw.Create(8, banks: 2), Is.GreaterThan(0));
        Assert.That(raw.Kernel.LastPartition!.DisabledFeatures, Has.Length.EqualTo(3));
    }

    [Test]
    public void What_is_not_marked_in_the_register_page_is_ignored()
    {
        using RawMshv raw = new();
        (_, int vp) = raw.CreatePartition();
        Span<byte> page = raw.MapRegisterPage(vp);
        Assert.That(page[2], Is.Zero, "not valid before the first intercept");
        page[2] = 1;
        BinaryPrimitives.WriteUInt64LittleEndian(page[8..], 111);
        BinaryPrimitives.WriteUInt64LittleEndian(page[136..], 222);
        BinaryPrimitives.WriteUInt64LittleEndian(page[144..], 0x46);
        BinaryPrimitives.WriteUInt32LittleEndian(page[4..], 1 << 1);

        // Not in 64-bit mode the processor cannot be entered, but it takes the page.
        Assert.That(raw.Ioctl(vp, SimulatedRequests.RunVp, new byte[256]), Is.Zero);

        Assert.That(raw.GetRegisters(vp, Rax, Rip, Rflags).Values, Is.EqualTo(new ulong[] { 0, 222, 2 }));
        unsafe
        {
            fixed (byte* address = page)
            {
                raw.Kernel.UnmapMemory((nint)address, 4096);
            }
        }
    }

    [Test]
    public void Descriptors_keep_the_partition_until_the_last_one_is_closed()
    {
        using RawMshv raw = new();
        int partition = raw.Create(0);
        Assert.That(raw.Kernel.Ioctl(partition, SimulatedRequests.InitializePartition, 0), Is.Zero);
        int vp = raw.Ioctl(partition, SimulatedRequests.CreateVp, new byte[4]);

        raw.Kernel.Close(partition);
        Assert.That((raw.Kernel.Partitions, raw.Kernel.VirtualProcessors), Is.EqualTo((1, 1)));
        raw.Kernel.Close(vp);
        Assert.That((raw.Kernel.Partitions, raw.Kernel.VirtualProcessors), Is.EqualTo((0, 0)));
        raw.Kernel.Close(partition);
        Assert.That(raw.Kernel.Violations, Has.Count.EqualTo(1), "it is closed already");
    }
}
