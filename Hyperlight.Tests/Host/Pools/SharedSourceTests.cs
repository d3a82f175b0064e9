using Hyperlight.Host.Pools;
using Moq;

namespace Hyperlight.Tests.Host.Pools;

/// <summary>A source is released once, when nothing uses it any more.</summary>
[TestFixture]
internal sealed class SharedSourceTests
{
    private readonly LeaseServices _services = new();
    private CountingSource _source = null!;
    private SharedSource _shared = null!;

    [SetUp]
    public void Create()
    {
        _source = new CountingSource();
        _shared = new SharedSource(_source);
    }

    [TearDown]
    public void Dispose() => _shared.Dispose();

    [Test]
    public void A_source_that_is_not_used_is_released_at_once()
    {
        _shared.Dispose();
        _shared.Dispose();

        Assert.That(_source.Releases, Is.EqualTo(1));
        Assert.That(() => _shared.Create(_services, default), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => _shared.Restore(Mock.Of<ISandbox>()), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(_source.Uses, Is.Zero);
    }

    [Test]
    public void A_source_that_is_disposed_during_a_creation_is_released_after_it()
    {
        int during = -1;
        _source.InUse = () =>
        {
            _shared.Dispose();
            during = _source.Releases;
        };

        _shared.Create(_services, default);

        Assert.That(during, Is.Zero);
        Assert.That(_source.Releases, Is.EqualTo(1));
    }

    [Test]
    public void A_source_that_is_disposed_during_a_restore_that_fails_is_released_after_it()
    {
        int during = -1;
        _source.InUse = () =>
        {
            _shared.Dispose();
            during = _source.Releases;
            throw new InvalidOperationException("refused");
        };

        Assert.That(() => _shared.Restore(Mock.Of<ISandbox>()), Throws.InvalidOperationException.With.Message.EqualTo("refused"));

        Assert.That(during, Is.Zero);
        Assert.That(_source.Releases, Is.EqualTo(1));
    }

    private sealed class CountingSource : ISandboxSource
    {
        public Action InUse { get; set; } = static () => { };

        public int Uses { get; private set; }

        public int Releases { get; private set; }

        public ISandbox Create(LeaseServices services, CancellationToken cancellationToken)
        {
            Uses++;
            InUse();
            return Mock.Of<ISandbox>();
        }

        public void Restore(ISandbox sandbox)
        {
            Uses++;
            InUse();
        }

        public void Dispose() => Releases++;
    }
}
