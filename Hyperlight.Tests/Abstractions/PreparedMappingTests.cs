using Hyperlight.Abstractions;
using Moq;

namespace Hyperlight.Tests.Abstractions;

/// <summary>Files that are open and that no machine has: who closes them, and how often they can be given away.</summary>
[TestFixture]
internal sealed class PreparedMappingTests
{
    private const ulong Address = 0x1000_0000;

    private ManagedMemoryRegion _region = null!;

    [SetUp]
    public void CreateRegion() => _region = new ManagedMemoryRegion(0x2000);

    [TearDown]
    public void ReleaseRegion() => _region.Dispose();

    [Test]
    public void A_file_that_ends_behind_the_address_space_is_closed()
    {
        Assert.That(() => Prepare(GuestPhysicalSpace.End - 0x1000), Throws.TypeOf<ArgumentOutOfRangeException>());

        Assert.That(_region.Handle.IsClosed, Is.True);
    }

    [Test]
    public void A_file_that_ends_at_the_end_of_the_address_space_is_accepted()
    {
        using PreparedMapping mapping = Prepare(GuestPhysicalSpace.End - 0x2000);

        Assert.That(mapping.Size, Is.EqualTo((nuint)0x2000));
        Assert.That(_region.Handle.IsClosed, Is.False);
    }

    [Test]
    public void An_address_that_is_refused_opens_nothing([Values(GuestPhysicalSpace.End, Address + 1)] ulong address)
    {
        bool isOpened = false;

        Assert.That(
            () => PreparedMapping.Prepare("/file", address, null, _ => { isOpened = true; return _region; }),
            Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(isOpened, Is.False);
    }

    [Test]
    public void It_is_consumed_once_and_disposal_then_leaves_the_file_open()
    {
        using PreparedMapping mapping = Prepare(Address);

        Assert.That(mapping.Consume(), Is.SameAs(_region));

        Assert.That(mapping.IsConsumed, Is.True);
        Assert.That(mapping.Consume, Throws.InvalidOperationException);
        Assert.That(() => mapping.ToGuestMapping(), Throws.InvalidOperationException);
        mapping.Dispose();
        Assert.That(_region.Handle.IsClosed, Is.False);
    }

    [Test]
    public void Disposal_closes_the_file_once_and_it_cannot_be_consumed_any_more()
    {
        PreparedMapping mapping = Prepare(Address);

        mapping.Dispose();
        mapping.Dispose();

        Assert.That(_region.Handle.IsClosed, Is.True);
        Assert.That(mapping.IsConsumed, Is.False);
        Assert.That(mapping.CleanupFailure, Is.Null);
        Assert.That(mapping.Consume, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => mapping.ToGuestMapping(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Disposal_keeps_the_failure_to_close_the_file()
    {
        var failure = new HypervisorException("mock", "munmap", 22, "EINVAL");
        var region = new Mock<IMemoryRegion>();
        region.Setup(r => r.Size).Returns(0x1000);
        region.Setup(r => r.Dispose()).Throws(failure);
        PreparedMapping mapping = PreparedMapping.Prepare("/file", Address, null, _ => region.Object);

        mapping.Dispose();
        mapping.Dispose();

        Assert.That(mapping.CleanupFailure, Is.SameAs(failure));
        region.Verify(r => r.Dispose(), Times.Once);
    }

    private PreparedMapping Prepare(ulong address) => PreparedMapping.Prepare("/file", address, null, _ => _region);
}
