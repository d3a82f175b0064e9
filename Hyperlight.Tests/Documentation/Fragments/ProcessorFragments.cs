using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of docs/processor.md.</summary>
[TestFixture]
internal sealed class ProcessorFragments : FragmentFixture
{
    [Test]
    public void A_further_register()
    {
        var configuration = new SandboxConfiguration { GuestMsrs = MsrPolicy.None.With(0x277) };

        using MultiUseSandbox sandbox = new SandboxBuilder().WithGuest(TestGuest).WithConfiguration(configuration).Build();
        Assert.That(sandbox.Call<ulong>("ReadMsr", 0x277u), Is.Not.Zero);
        Assert.That(() => sandbox.Call<ulong>("ReadMsr", 0x174u), Throws.TypeOf<GuestAbortedException>());
    }
}
