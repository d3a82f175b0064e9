using Hyperlight.Emulator.Compilation;
using Microsoft.Extensions.Time.Testing;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>Who is asked to give up code, and by whom.</summary>
[TestFixture]
internal sealed class CodeHoldersTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();

    /// <summary>A machine can need long to forget its code, and the time of the one that asks is that of another guest.</summary>
    [Test]
    public void The_one_that_asks_waits_for_nobody()
    {
        var holders = new CodeHolders(_time);
        using var former = new Holder();
        using var other = new Holder();
        holders.Add(former);
        holders.Add(other);
        Assert.That(holders.AskOthers(former), Is.True);
        Assert.That(other.Asked.Wait(Limit), Is.True);

        Assert.That(holders.AskOthers(other), Is.False, "that was a moment ago");

        Assert.That(former.Asked.Wait(Limit), Is.True);
        Assert.That(former.Thread, Is.Not.EqualTo(Environment.CurrentManagedThreadId));
        Assert.That(other.Thread, Is.Not.EqualTo(Environment.CurrentManagedThreadId));
    }

    private sealed class Holder : ICodeHolder, IDisposable
    {
        public ManualResetEventSlim Asked { get; } = new();

        public int Thread { get; private set; }

        public void ReleaseCode()
        {
            Thread = Environment.CurrentManagedThreadId;
            Asked.Set();
        }

        public void Dispose() => Asked.Dispose();
    }
}
