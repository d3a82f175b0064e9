using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of docs/calls.md: they are compiled here, and run.</summary>
[TestFixture]
internal sealed class CallsFragments
{
    [Test]
    public void Reading_a_result_whose_type_is_not_known()
    {
        using MultiUseSandbox sandbox = new SandboxBuilder().UseEmulator().WithGuest(Prebuilt(TestTargets.GeneralGuest)).Build();

        GuestValue result = sandbox.Call<GuestValue>("Add", 1, 2);
        int sum = result.AsInt32();
        string text = result switch
        {
            (GuestValueType.Int, int number) => $"the number {number}",
            (GuestValueType.Void, _) => "nothing",
            var (type, _) => $"a {type}",
        };
        bool isText = result.TryGet(out string? read);

        Assert.That((sum, text, isText, read), Is.EqualTo((3, "the number 3", false, (string?)null)));
    }

    [Test]
    public void A_host_function_that_is_registered_by_its_signature()
    {
        SandboxBuilder builder = new SandboxBuilder().UseEmulator().WithGuest(Prebuilt("hello.elf"));

        builder.WithHostFunction("GetWeekday", [], GuestValueType.String, arguments => "Monday");
        builder.WithHostFunction("Power", [GuestValueType.Double, GuestValueType.Int], GuestValueType.Double,
            arguments => Math.Pow(arguments[0].AsDouble(), arguments[1].AsInt32()));

        using MultiUseSandbox sandbox = builder.Build();
        Assert.That(sandbox.Call<string>("SayHello", "World"), Is.EqualTo("Hello, World! Today is Monday."));
    }

    [Test]
    public async Task Budgets()
    {
        SandboxBuilder builder = new SandboxBuilder().UseEmulator().WithGuest(Prebuilt(TestTargets.GeneralGuest));
        using MultiUseSandbox sandbox = builder.Build();
        CancellationToken cancellationToken = CancellationToken.None;

        var budget = new CallBudget { CpuTime = TimeSpan.FromMilliseconds(100), HostCalls = 20, PrintedBytes = 64 * 1024 };
        builder.WithConfiguration(new SandboxConfiguration { Budget = budget });
        var options = new SandboxPoolOptions { Budget = new CallBudget { WallClockTime = TimeSpan.FromSeconds(2) } };
        int sum = sandbox.Call<int>("Add", [1, 2], new CallBudget { HostCalls = 0 }, cancellationToken);

        // A machine that stands still for a moment exceeds these limits of time.
        budget = budget with { CpuTime = TimeSpan.FromMinutes(1) };
        builder.WithConfiguration(new SandboxConfiguration { Budget = budget });
        options = options with { Budget = new CallBudget { WallClockTime = TimeSpan.FromMinutes(1) } };
        using var pool = new SandboxPool(() => builder, options);
        int second = await pool.CallAsync<int>("Add", [1, 2], budget, cancellationToken);

        Assert.That((sum, second), Is.EqualTo((3, 3)));
    }

    private static string Prebuilt(string file) => Path.Combine(AppContext.BaseDirectory, "guests", file);
}
