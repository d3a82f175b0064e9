namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of README.md and of the README of the packages.</summary>
[TestFixture]
internal sealed class ReadmeFragments : FragmentFixture
{
    [Test]
    public void Calls_and_snapshots()
    {
        string guest = HelloGuest;
        using var output = new StringWriter();
        Console.SetOut(output);

        using MultiUseSandbox sandbox = new SandboxBuilder()
            .WithGuest(guest)
            .WithHostFunction("GetWeekday", () => DateTime.Now.DayOfWeek.ToString())
            .Build();

        Console.WriteLine($"driver: {sandbox.Hypervisor}");
        Console.WriteLine(sandbox.Call<string>("SayHello", "World"));
        Assert.That(output.ToString(), Does.StartWith("driver: ").And.Contain("Hello, World! Today is "));

        using Snapshot ready = sandbox.TakeSnapshot();
        Console.WriteLine(sandbox.Call<string>("SayHello", "Ada"));
        sandbox.Restore(ready);

        ready.Save("snapshots/ready");
        using Snapshot loaded = Snapshot.Load("snapshots/ready");
        using MultiUseSandbox another = new SandboxBuilder()
            .WithSnapshot(loaded)
            .WithHostFunction("GetWeekday", () => DateTime.Now.DayOfWeek.ToString())
            .Build();
        Console.WriteLine(another.Call<string>("SayHello", "Grace"));
        Assert.That(output.ToString(), Does.Contain("Hello, Ada! Today is ").And.Contain("Hello, Grace! Today is "));
    }

    [Test]
    public void Of_the_packages()
    {
        using var output = new StringWriter();
        Console.SetOut(output);

        using MultiUseSandbox sandbox = new SandboxBuilder()
            .WithGuest("hello.elf")
            .WithHostFunction("GetWeekday", () => DateTime.Now.DayOfWeek.ToString())
            .Build();

        Console.WriteLine(sandbox.Call<string>("SayHello", "World"));
        Assert.That(output.ToString(), Does.StartWith("Hello, World! Today is "));
    }
}
