namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of docs/errors.md.</summary>
[TestFixture]
internal sealed class ErrorsFragments : FragmentFixture
{
    [Test]
    public void Limits_of_a_call()
    {
        using MultiUseSandbox sandbox = new SandboxBuilder().WithGuest(TestGuest).Build();
        using var source = new CancellationTokenSource();
        CancellationToken cancellationToken = source.Token;

        sandbox.Call<int>("Add", [1, 2], cancellationToken);
        sandbox.Call<int>("Add", [1, 2], TimeSpan.FromSeconds(1));
        sandbox.Call<int>("Add", [1, 2], TimeSpan.FromSeconds(1), cancellationToken);

        source.Cancel();
        Assert.That(() => sandbox.Call<int>("Add", [1, 2], cancellationToken), Throws.TypeOf<ExecutionCanceledException>());
    }

    [Test]
    public void A_host_function_with_a_token()
    {
        SandboxBuilder builder = new SandboxBuilder().WithGuest(TestGuest);
        string address = "https://example.com/";

        builder.WithHostFunction("Fetch", (CancellationToken token) => Download(address, token));

        using MultiUseSandbox sandbox = builder.Build();
        Assert.That(sandbox.Call<string>("CallHostExpectString", "Fetch"), Is.EqualTo(address));

        static string Download(string address, CancellationToken token) => token.CanBeCanceled ? address : "there is no token";
    }
}
