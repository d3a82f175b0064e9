using System.Buffers;
using System.Security.Cryptography;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;

namespace Hyperlight.Tests.Host.Memory;

/// <summary>The page tables of an image, whose memory others had before and have afterwards.</summary>
[TestFixture]
internal sealed class GuestImageTests
{
    private const int Size = 10 * GuestPage.Size;

    [Test]
    public void Tables_are_what_was_given_and_nothing_that_others_have_left([Values(0UL, 1UL)] ulong generation)
    {
        LeaveInPool();
        byte[] tables = RandomNumberGenerator.GetBytes(Size);

        GuestImage image = NewImage(tables, generation);

        Assert.That(image.PageTables.ToArray(), Is.EqualTo(tables));
        image.Release();
    }

    [Test]
    public void Tables_of_an_image_that_was_released_are_gone([Values(0UL, 1UL)] ulong generation)
    {
        GuestImage image = NewImage(RandomNumberGenerator.GetBytes(Size), generation);
        Assert.That(image.TryAddReference());
        image.Release();
        Assert.That(image.PageTables.Length, Is.EqualTo(Size), "somebody has a reference");

        image.Release();

        LeaveInPool();
        Assert.That(image.PageTables.Length, Is.Zero);
    }

    private static GuestImage NewImage(byte[] tables, ulong generation) => new(
        GuestMemoryLayout.Create(new SandboxConfiguration(), 0x1000, 0), new ManagedMemoryRegion(GuestPage.Size), tables, entryPoint: 0, generation);

    /// <summary>Lets the next array of the pool have bytes of somebody else.</summary>
    private static void LeaveInPool()
    {
        byte[] array = ArrayPool<byte>.Shared.Rent(Size);
        array.AsSpan().Fill(0xA5);
        ArrayPool<byte>.Shared.Return(array);
    }
}
