using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>The first tenant overwrites every byte of memory that it can write.</summary>
internal sealed class MemoryResidueTests(TestTarget target) : ResidueTest(target)
{
    private const ulong TableAddress = 0x2000_0000;
    private const ulong EmptyBuffer = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Test]
    public void No_byte_of_memory_survives()
    {
        GuestMapping[] writable = [.. Scene.Machine.Mappings.Where(m => m.Flags.HasFlag(MemoryFlags.Write))];
        Overwrite(RangesOf(writable));

        foreach (GuestMapping mapping in writable)
        {
            byte[] bytes = new byte[mapping.Size];
            mapping.Region.Read(mapping.RegionOffset, bytes);
            ulong[] words = MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan()).ToArray();
            Assert.That(words.Where(static w => w is not (PlantedMemory.Value or EmptyBuffer)), Is.Empty, "every byte is planted");
            Assert.That(words.Count(static w => w == EmptyBuffer), Is.LessThanOrEqualTo(2), "the host has made both buffers empty");
        }

        Assert.That(Scene.Restore(), Is.Empty);
    }

    [Test]
    public void No_byte_of_memory_reaches_another_sandbox()
    {
        Overwrite(RangesOf(Scene.Machine.Mappings.Where(m => m.Flags.HasFlag(MemoryFlags.Write))));

        Assert.That(Scene.LookFromAnotherSandbox(), Is.Empty);
    }

    /// <summary>What is not writable, and both sides of its ends; also where nothing is, in all of guest physical space.</summary>
    [Test]
    public void A_guest_writes_to_nothing_else()
    {
        GuestMapping[] mappings = [.. Scene.Machine.Mappings];
        ulong[] edges =
        [
            .. mappings.SelectMany(static m => new[] { m.GuestAddress, m.GuestAddress + m.Size }),
            .. Enumerable.Range(12, GuestPhysicalSpace.AddressBits - 12).Select(static bit => 1UL << bit),
        ];
        IEnumerable<ulong> addresses = edges.SelectMany(static e => new[] { e - GuestPage.Size, e - sizeof(ulong), e, e + GuestPage.Size })
            .Where(a => a < GuestPhysicalSpace.End && !mappings.Any(m => m.Flags.HasFlag(MemoryFlags.Write) && a - m.GuestAddress < m.Size))
            .Distinct();
        foreach (ulong address in addresses)
        {
            Exception? ending = Overwrite([(address, sizeof(ulong))]);

            Assert.That(ending, Is.InstanceOf<MemoryAccessViolationException>(), $"0x{address:X}");
            Assert.That(Scene.Restore(), Is.Empty, $"0x{address:X}");
        }
    }

    private static IEnumerable<(ulong Address, ulong Size)> RangesOf(IEnumerable<GuestMapping> mappings) =>
        mappings.Select(static m => (m.GuestAddress, (ulong)m.Size));

    private Exception? Overwrite(IEnumerable<(ulong Address, ulong Size)> ranges)
    {
        using IMemoryRegion tables = Target.Hypervisor.AllocateMemory(PlantedMemory.TableSize);
        tables.Write(0, PlantedMemory.Tables(TableAddress));
        return Scene.Execute(
            PlantedMemory.Code(ranges, TableAddress),
            Patience,
            sandbox => sandbox.MapRegion(tables, TableAddress, MemoryFlags.Read));
    }
}
