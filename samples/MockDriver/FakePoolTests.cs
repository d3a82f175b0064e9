using Moq;

namespace Hyperlight.Samples.MockDriver;

/// <summary>Tests of code that uses a pool, with a fake pool and a mocked sandbox: neither a hypervisor nor a guest is needed.</summary>
[TestFixture]
internal sealed class FakePoolTests
{
    private Mock<ISandbox> _sandbox = null!;
    private FakePool _pool = null!;
    private PriceService _prices = null!;

    [SetUp]
    public void Create()
    {
        _sandbox = new Mock<ISandbox>();
        _pool = new FakePool(_sandbox.Object);
        _prices = new PriceService(_pool);
    }

    [TearDown]
    public void DisposePool() => _pool.Dispose();

    [Test]
    public async Task The_price_is_what_the_guest_calculates()
    {
        GuestReturns(3, 42);

        Assert.That(await _prices.GetPriceAsync(3, default), Is.EqualTo(42));
        Assert.That(_pool.Rented, Is.Zero, "The sandbox was returned.");
    }

    [Test]
    public async Task A_negative_price_is_refused()
    {
        GuestReturns(3, -1);

        PriceException exception = await Assert.ThrowsAsync<PriceException>(() => _prices.GetPriceAsync(3, default));

        Assert.That(exception.IsTemporary, Is.False);
        Assert.That(_pool.Rented, Is.Zero);
    }

    [Test]
    public async Task An_error_of_the_guest_is_reported_and_the_sandbox_is_returned()
    {
        _sandbox.Setup(s => s.CallAsync<int>("Price", It.IsAny<GuestValue[]>(), It.IsAny<CancellationToken>()))
            .ThrowsAsync(new GuestErrorException("Price", (ulong)GuestErrorCode.GuestError, "bad quantity"));

        PriceException exception = await Assert.ThrowsAsync<PriceException>(() => _prices.GetPriceAsync(-3, default));

        Assert.That(exception.Message, Does.Contain("GuestError"));
        Assert.That(_pool.Rented, Is.Zero);
    }

    [Test]
    public async Task A_full_queue_is_temporary()
    {
        _pool.Failure = new PoolQueueFullException("fake", waiting: 10, queueLength: 10, maximumSize: 1);

        PriceException exception = await Assert.ThrowsAsync<PriceException>(() => _prices.GetPriceAsync(3, default));

        Assert.That(exception.IsTemporary, Is.True);
    }

    [Test]
    public async Task The_token_of_the_caller_reaches_the_call()
    {
        using var source = new CancellationTokenSource();

        _ = await _prices.GetPriceAsync(3, source.Token);

        _sandbox.Verify(s => s.CallAsync<int>("Price", new GuestValue[] { 3 }, source.Token), Times.Once);
    }

    private void GuestReturns(int quantity, int price) => _sandbox
        .Setup(s => s.CallAsync<int>("Price", new GuestValue[] { quantity }, It.IsAny<CancellationToken>()))
        .ReturnsAsync(price);
}
