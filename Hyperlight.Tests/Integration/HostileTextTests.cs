using Hyperlight.Host.Diagnostics;
using Hyperlight.Tests.Host.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Integration;

/// <summary>Whatever text a guest sends, what reaches logs, exceptions and the console is bounded and harmless.</summary>
[NonParallelizable]
internal sealed class HostileTextTests(TestTarget target) : GuestTest(target)
{
    private const string Hostile = "\u001B[2J\u202E\r\nfail: Hyperlight.Sandbox[1] forged\u2066\u2028\b";

    private static readonly string Long = string.Concat(Enumerable.Repeat(Hostile, 200));

    [Test]
    public void An_error_of_the_guest()
    {
        foreach (string text in new[] { Hostile, Long })
        {
            GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call("ReturnError", 15, text))!;

            AssertHarmless(error.Message);
            Assert.That(error.Message, Does.Contain("\\u001B[2J\\u202E\\r\\nfail:"));
            Assert.That(error.GuestMessage, Is.EqualTo(text), "the text itself is there for programs");
        }
    }

    [Test]
    public void An_abort()
    {
        GuestAbortedException error = Assert.Throws<GuestAbortedException>(() => Sandbox.Call("AbortWithMessage", 7, Hostile))!;

        AssertHarmless(error.Message);
        Assert.That(error.GuestMessage, Is.EqualTo(Hostile));
        SandboxPoisonedException poisoned = Assert.Throws<SandboxPoisonedException>(() => Sandbox.Call("Add", 1, 2))!;
        AssertHarmless(poisoned.Message);
    }

    [Test]
    public void The_name_of_a_host_function_that_does_not_exist()
    {
        foreach (string name in new[] { Hostile, Long })
        {
            GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("CallHostNamed", name))!;

            AssertHarmless(error.Message, 2);
            AssertHarmless(error.HostFunctionFailure!);
        }
    }

    [Test]
    public void A_log_record()
    {
        using var loggers = new RecordingLoggers(LogLevel.Trace);
        MultiUseSandbox sandbox = Build(b => b.WithLogging(loggers));

        sandbox.Call("LogMessage", 3, Hostile);
        sandbox.Call("LogMessage", 3, Long);

        Assert.That(loggers.Guest, Has.Count.EqualTo(2));
        foreach (RecordingLoggers.Record record in loggers.Guest)
        {
            AssertHarmless(record.Text);
        }
    }

    [Test]
    public void The_console()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        (TextWriter formerOutput, TextWriter formerError) = (Console.Out, Console.Error);
        Console.SetOut(output);
        Console.SetError(error);
        try
        {
            using MultiUseSandbox sandbox = new SandboxBuilder().WithHypervisor(Target.Hypervisor).WithGuest(Target.Binary).Build();
            Assert.That(sandbox.Call<int>("Print", Hostile + "\tend\n"), Is.GreaterThan(Hostile.Length));
            sandbox.Call("DebugPrint", "\u001B[2J\tend\n");
        }
        finally
        {
            Console.SetOut(formerOutput);
            Console.SetError(formerError);
        }

        Assert.That(GuestTextTests.IsSafe(output.ToString(), allowed: "\t\r\n"), output.ToString());
        Assert.That(output.ToString(), Does.Contain("\\u001B[2J").And.EndsWith("\tend\n"));
        Assert.That(error.ToString(), Is.EqualTo("\\u001B[2J\tend\n"));
    }

    [Test]
    public void A_value_as_text()
    {
        AssertHarmless(Sandbox.Call<GuestValue>("EchoString", Hostile).ToString());
        Assert.That(Sandbox.Call<GuestValue>("EchoString", Long).ToString(), Has.Length.InRange(50, 66).And.EndsWith("...\""));
    }

    private static void AssertHarmless(string text, int parts = 1)
    {
        Assert.That(GuestTextTests.IsSafe(text), text);
        Assert.That(text, Has.Length.LessThan((parts * GuestText.MaximumLength) + 200));
    }
}
