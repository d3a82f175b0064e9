using Hyperlight.Host.Functions;
using Hyperlight.Tests.Host.Wire;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>A sandbox through <see cref="ISandbox"/>: the same calls as through the class.</summary>
[TestFixture]
internal sealed class SandboxInterfaceTests
{
    [Test]
    public void Every_call_reaches_the_guest_with_its_arguments()
    {
        var guest = new ScriptedMachine();
        using MultiUseSandbox sandbox = guest.Build();
        ISandbox mockable = sandbox;
        var sent = new List<byte[]>();
        for (int i = 0; i < 6; i++)
        {
            guest.Then(() =>
            {
                sent.Add(guest.PopInput());
                guest.PushOutput(sent.Count <= 3 ? GoldenVectors.IntResult : WireMessages.EncodeValue(default(Unit)));
                return ScriptedMachine.Halt;
            });
        }

        Assert.That(mockable.Call<int>("f", 1, 2), Is.EqualTo(3));
        Assert.That(mockable.Call<int>("f", [1, 2], CancellationToken.None), Is.EqualTo(3));
        Assert.That(mockable.Call<int>("f", [1, 2], TimeSpan.FromMinutes(1)), Is.EqualTo(3));
        mockable.Call("f", 1, 2);
        mockable.Call("f", [1, 2], CancellationToken.None);
        mockable.Call("f", [1, 2], TimeSpan.FromMinutes(1));

        Assert.That(sent.Take(3), Is.All.EqualTo(sent[0]));
        Assert.That(sent.Skip(3), Is.All.EqualTo(sent[3]));
        Assert.That(mockable.Id, Is.EqualTo(sandbox.Id));
        Assert.That(mockable.Status, Is.EqualTo(SandboxStatus.Ready));
        Assert.That(mockable.Hypervisor, Is.SameAs(sandbox.Hypervisor));
        Assert.That(() => mockable.Call("f", (GuestValue[])null!), Throws.ArgumentNullException);
    }

    [Test]
    public void A_cancelled_token_ends_the_call_before_the_guest_is_entered()
    {
        var guest = new ScriptedMachine();
        using MultiUseSandbox sandbox = guest.Build();

        Assert.That(
            () => ((ISandbox)sandbox).Call<int>("f", [1], new CancellationToken(canceled: true)),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Ready));
    }
}
