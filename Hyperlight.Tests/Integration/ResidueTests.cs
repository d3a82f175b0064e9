using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// A guest plants values in every place it can write, and after a restore looks for them: neither it nor another sandbox may
/// find any. The plants are the complement of what is passed, so that a search does not find itself.
/// </summary>
internal sealed class ResidueTests(TestTarget target) : GuestTest(target)
{
    private const ulong Plant = 0x5A17_AB1E_D00D_F00D;

    [Test]
    public void No_byte_of_scratch_memory_survives()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Call("PlantScratch", Plant);
        Assert.That(Sandbox.Call<ulong>("CountPlanted", Plant), Is.GreaterThan(10_000), "the plants can be found");

        Sandbox.Restore(snapshot);

        Assert.That(Sandbox.Call<ulong>("CountPlanted", Plant), Is.Zero);
    }

    [Test]
    public void No_byte_of_large_scratch_memory_survives()
    {
        MultiUseSandbox sandbox = Build(b => b.WithConfiguration(new SandboxConfiguration { ScratchSize = 8 << 20 }));
        using Snapshot snapshot = sandbox.TakeSnapshot();
        sandbox.Call("PlantScratch", Plant);
        Assert.That(sandbox.Call<ulong>("CountPlanted", Plant), Is.GreaterThan(900_000));

        sandbox.Restore(snapshot);

        Assert.That(sandbox.Call<ulong>("CountPlanted", Plant), Is.Zero);
    }

    [Test]
    public void Nothing_survives_on_heap_and_stack()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        ulong block = Sandbox.Call<ulong>("PlantHeapAndStack", Plant, 0x4000U);
        Assert.That(Sandbox.Call<ulong>("CountPlanted", Plant), Is.GreaterThan(2000));

        Sandbox.Restore(snapshot);

        Assert.That(Sandbox.Call<ulong>("CountPlanted", Plant), Is.Zero);
        Assert.That(Sandbox.Call<ulong>("AllocateHeap", 0x4000), Is.EqualTo(block), "the heap is what it was");
    }

    [Test]
    public void A_failed_guest_leaves_nothing_either()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Call("PlantScratch", Plant);
        AssertPoisons<GuestAbortedException>(s => s.Call("NullWrite"));

        Sandbox.Restore(snapshot);

        Assert.That(Sandbox.Call<ulong>("CountPlanted", Plant), Is.Zero);
    }

    [Test]
    public void Sandboxes_of_one_snapshot_do_not_see_each_others_plants()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        MultiUseSandbox other = Build(b => b.WithSnapshot(snapshot));
        other.Call("PlantScratch", Plant);
        other.Call<ulong>("PlantHeapAndStack", Plant, 0x1000U);

        Assert.That(Sandbox.Call<ulong>("CountPlanted", Plant), Is.Zero);
        Assert.That(Build(b => b.WithSnapshot(snapshot)).Call<ulong>("CountPlanted", Plant), Is.Zero);
    }

    [Test]
    public void Fpu_and_sse_registers_are_reset()
    {
        byte[] clean = Sandbox.Call<byte[]>("GetFpu");
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        byte[] image = [.. clean];
        RandomNumberGenerator.Fill(image.AsSpan(32, 128 + 256));
        BinaryPrimitives.WriteUInt16LittleEndian(image, 0x27F);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(24), 0x3F80);
        Sandbox.Call("SetFpu", image);

        Sandbox.Restore(snapshot);

        Assert.That(Sandbox.Call<byte[]>("GetFpu"), Is.EqualTo(clean));
    }

    [Test]
    public void Debug_registers_are_reset()
    {
        int[] registers = [0, 1, 2, 3, 6, 7];
        ulong[] before = [.. registers.Select(n => Sandbox.Call<ulong>("GetDr", n))];
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        for (int i = 0; i < 4; i++)
        {
            Sandbox.Call("SetDr", i, 0x1000UL * (ulong)(i + 1));
        }

        Sandbox.Call("SetDr", 6, 0xFFFF_0FF1UL);
        Sandbox.Call("SetDr", 7, 0x0000_0402UL);
        Assert.That(Sandbox.Call<ulong>("GetDr", 3), Is.EqualTo(0x4000), "the plants stay between calls");

        Sandbox.Restore(snapshot);

        Assert.That(registers.Select(n => Sandbox.Call<ulong>("GetDr", n)), Is.EqualTo(before));
    }

    [Test]
    public void Control_registers_are_reset()
    {
        int[] registers = [0, 2, 3, 4, 8];
        ulong[] before = [.. registers.Select(n => Sandbox.Call<ulong>("GetCr", n))];
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Call("SetCr", 2, 0xDEAD_BEEFUL);
        Sandbox.Call("SetCr", 4, before[3] | 0x80UL);
        Sandbox.Call("SetCr", 8, 5UL);
        Sandbox.Call("SetCr", 0, before[0] & ~(1UL << 18));

        Sandbox.Restore(snapshot);

        ulong[] after = [.. registers.Select(n => Sandbox.Call<ulong>("GetCr", n))];
        Assert.That(after[0], Is.EqualTo(before[0]));
        Assert.That(after[1], Is.Not.EqualTo(0xDEAD_BEEFUL));
        Assert.That(after[2], Is.EqualTo(before[2]));
        Assert.That(after[3], Is.EqualTo(before[3]));
        Assert.That(after[4], Is.EqualTo(before[4]));
    }

    /// <summary>SYSENTER_EIP, PAT, LSTAR, SFMASK, KERNEL_GS_BASE, FS_BASE.</summary>
    [TestCase(0x176U, 0x1234_5678UL)]
    [TestCase(0x277U, 0x0006_0406_0007_0406UL)]
    [TestCase(0xC000_0082U, 0x7FFF_1234_5678UL)]
    [TestCase(0xC000_0084U, 0x4700UL)]
    [TestCase(0xC000_0102U, 0x7FFF_0000_0000UL)]
    [TestCase(0xC000_0100U, 0x7FFF_0000_1000UL)]
    public void Model_specific_registers_are_reset(uint index, ulong plant)
    {
        ulong before = Sandbox.Call<ulong>("ReadMsr", index);
        using Snapshot fresh = Sandbox.TakeSnapshot();
        Sandbox.Call("WriteMsr", index, plant);
        using Snapshot planted = Sandbox.TakeSnapshot();

        Sandbox.Restore(fresh);
        Assert.That(Sandbox.Call<ulong>("ReadMsr", index), Is.EqualTo(before));

        Sandbox.Restore(planted);
        Assert.That(Sandbox.Call<ulong>("ReadMsr", index), Is.EqualTo(plant), "what the guest had set up is part of the snapshot");
        Assert.That(Build(b => b.WithSnapshot(planted)).Call<ulong>("ReadMsr", index), Is.EqualTo(plant));
    }

    [Test]
    public void Xcr0_is_reset()
    {
        if (EmulatingKvm.Runs(Target.Hypervisor))
        {
            Assert.Ignore("this KVM has no hardware virtualization and emulates privileged guest code: it cannot execute XGETBV and XSETBV");
        }

        ulong before = Sandbox.Call<ulong>("GetXcr0");
        if (before == 0)
        {
            Assert.Ignore("this processor has no XSAVE, and therefore no XCR0");
        }

        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Call("SetXcr0", 3UL);
        if (Sandbox.Call<ulong>("GetXcr0") != 3)
        {
            Assert.Ignore("this processor, an emulated one, does not tell its hypervisor of XSETBV, so that a guest's XCR0 never lasts");
        }

        using Snapshot planted = Sandbox.TakeSnapshot();

        Sandbox.Restore(snapshot);
        Assert.That(Sandbox.Call<ulong>("GetXcr0"), Is.EqualTo(before));

        Sandbox.Restore(planted);
        Assert.That(Sandbox.Call<ulong>("GetXcr0"), Is.EqualTo(3), "what the guest had set up is part of the snapshot");
    }
}
