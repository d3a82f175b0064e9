using Hyperlight.Host.Sandboxes;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>The transitions of a sandbox's state, one at a time. Their interleavings are explored elsewhere.</summary>
[TestFixture]
internal sealed class SandboxGateTests
{
    private readonly SandboxGate _gate = new();

    [SetUp]
    public void Open() => _gate.Enter("calling", this);

    [TearDown]
    public void Leave() => _gate.Leave();

    [Test]
    public void Operations_have_consecutive_numbers()
    {
        ulong first = _gate.Operation;
        _gate.Leave();
        Assert.That(_gate.Operation, Is.EqualTo(first), "that of the last one");

        _gate.Enter("calling", this);

        Assert.That(_gate.Operation, Is.EqualTo(first + 1));
    }

    [Test]
    public void Two_operations_at_once_are_refused() =>
        Assert.That(() => _gate.Enter("calling", this), Throws.TypeOf<SandboxInUseException>());

    [Test]
    public void A_request_ends_with_its_operation()
    {
        _gate.Request(CancellationReason.InterruptHandle);
        Assert.That(_gate.RequestedReason, Is.EqualTo(CancellationReason.InterruptHandle));

        _gate.Leave();
        Assert.That(_gate.RequestedReason, Is.Null);
        _gate.Enter("calling", this);

        Assert.That(_gate.RequestedReason, Is.Null);
        Assert.That(_gate.TryEnterGuest(), Is.True);
    }

    [Test]
    public void The_first_reason_stays()
    {
        _gate.Request(CancellationReason.CancellationToken);
        _gate.Request(CancellationReason.Timeout);

        Assert.That(_gate.RequestedReason, Is.EqualTo(CancellationReason.CancellationToken));
        Assert.That(_gate.TryEnterGuest(), Is.False);
    }

    [Test]
    public void A_request_for_an_earlier_operation_has_no_effect()
    {
        ulong earlier = _gate.Operation;
        _gate.Leave();
        _gate.Enter("calling", this);

        Assert.That(_gate.Request(CancellationReason.Timeout, earlier).IsNone, Is.True);
        Assert.That(_gate.RequestedReason, Is.Null);
        Assert.That(_gate.Request(CancellationReason.Timeout, earlier + 1).IsNone, Is.False);
        Assert.That(_gate.RequestedReason, Is.EqualTo(CancellationReason.Timeout));
    }

    [Test]
    public void A_request_between_operations_has_no_effect()
    {
        _gate.Leave();

        Assert.That(_gate.Request(CancellationReason.InterruptHandle).IsNone, Is.True);
        Assert.That(_gate.RequestedReason, Is.Null);
        _gate.Enter("calling", this);
    }

    [Test]
    public void A_request_says_whether_the_guest_is_executing()
    {
        Assert.That(_gate.TryEnterGuest(), Is.True);
        Assert.That(_gate.Request(CancellationReason.InterruptHandle).WasInGuest, Is.True);
        _gate.LeaveGuest();

        Assert.That(_gate.Request(CancellationReason.InterruptHandle).WasInGuest, Is.False);
    }

    [Test]
    public void The_operation_that_was_in_progress_at_the_disposal_releases()
    {
        var gate = new SandboxGate();
        gate.Enter("calling", this);

        Assert.That(gate.Close(out InterruptedOperation interrupted), Is.False);
        Assert.That(interrupted.Number, Is.EqualTo(gate.Operation));
        Assert.That(gate.RequestedReason, Is.EqualTo(CancellationReason.Disposal));
        Assert.That(gate.Close(out interrupted), Is.False);
        Assert.That(interrupted.IsNone, Is.True);
        Assert.That(gate.Leave(), Is.True);
        Assert.That(() => gate.Enter("calling", this), Throws.TypeOf<ObjectDisposedException>());
    }
}
