using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Hyperlight.Tests.Soak;

/// <summary>The soak itself, for some seconds, and that it notices what it is there to notice.</summary>
internal sealed partial class SoakTests
{
    /// <summary>Four seconds.</summary>
    private const string ShortMinutes = "0.067";

    [TestCase("kvm")]
    [TestCase("interpreter")]
    [TestCase("translator")]
    [Platform("Linux", Reason = "Counts what the process holds through /proc.")]
    public void Short_soak_finds_nothing(string driver)
    {
        SkipUnlessUsable(driver);

        // In a process of its own: memory that other tests have used comes and goes in this one.
        ProcessStartInfo start = TestProcess.Command(
            SoakOptions.Command, "--minutes", ShortMinutes, "--driver", driver, "--threads", "2", "--seed", "7");
        start.RedirectStandardError = true;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        TestContext.Out.Write(output);
        Assert.That(process.ExitCode, Is.Zero, errors.Result);
        Assert.That(
            DoneActions().Matches(output).Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).Last(),
            Is.GreaterThan(20), "things done");
    }

    [Test]
    public void Growth_of_anything_is_found()
    {
        Assert.That(Flatness.Growth(Samples(static _ => Sample())), Is.Empty);
        Assert.That(Flatness.Growth(Samples(static i => Sample(descriptors: i * 10))), Has.One.StartsWith("descriptors:"));
        Assert.That(Flatness.Growth(Samples(static i => Sample(kvmDescriptors: i))), Has.One.StartsWith("descriptors of KVM:"));
        Assert.That(Flatness.Growth(Samples(static i => Sample(mappings: i * 100))), Has.One.StartsWith("mappings:"));
        Assert.That(Flatness.Growth(Samples(static i => Sample(threads: i * 10))), Has.One.StartsWith("threads:"));
        Assert.That(Flatness.Growth(Samples(static i => Sample(managed: (long)i << 24))), Has.One.StartsWith("managed bytes:"));
        Assert.That(Flatness.Growth(Samples(static i => Sample(privateKilobytes: i << 14))), Has.One.StartsWith("private kilobytes:"));
    }

    [Test]
    public void Growth_during_the_warm_up_and_fluctuations_are_no_growth()
    {
        Assert.That(Flatness.Growth(Samples(static i => Sample(managed: Math.Min(i, 1) * 1_000_000_000L))), Is.Empty);
        Assert.That(Flatness.Growth(Samples(static i => Sample(privateKilobytes: i % 2 * 1_000_000))), Is.Empty);
    }

    [Test]
    public void Wrong_answers_are_failures()
    {
        Assert.That(() => SoakFailure.Check(1, 2, "An answer"), Throws.TypeOf<SoakFailure>().With.Message.Contains("An answer is 1"));
        Assert.That(() => SoakFailure.Check("a", "a", "An answer"), Throws.Nothing);
        Assert.That(() => SoakFailure.Expect<IOException>(() => { }, "Nothing"), Throws.TypeOf<SoakFailure>());
        Assert.That(
            () => SoakFailure.Expect<IOException>(() => throw new TimeoutException(), "Nothing"), Throws.TypeOf<TimeoutException>());
    }

    [Test]
    public void Command_line_is_read()
    {
        SoakOptions options = SoakOptions.Parse(
            ["--minutes", "60", "--driver", "interpreter", "--threads", "3", "--seed", "9"], out _)!;
        Assert.That(options, Is.EqualTo(new SoakOptions(TimeSpan.FromHours(1), "interpreter", 3, 9)));
        Assert.That((options.Round, options.Rounds), Is.EqualTo((TimeSpan.FromMinutes(1), 60)));
        Assert.That(SoakOptions.Parse([], out _)!.Rounds, Is.EqualTo(6), "a short one has rounds too");
    }

    [TestCase("--minutes", "0")]
    [TestCase("--minutes", "x")]
    [TestCase("--driver", "none")]
    [TestCase("--threads", "0")]
    [TestCase("--seed", "-1")]
    [TestCase("--what", "1")]
    [TestCase("--minutes")]
    public void Command_line_that_makes_no_sense_is_refused(params string[] arguments)
    {
        Assert.That(SoakOptions.Parse(arguments, out string problem), Is.Null);
        Assert.That(problem, Does.Contain(arguments[0]));
    }

    [GeneratedRegex("([0-9]+) actions")]
    private static partial Regex DoneActions();

    private static void SkipUnlessUsable(string driver)
    {
        try
        {
            SoakDrivers.Open(driver);
        }
        catch (HypervisorNotAvailableException exception)
        {
            Assert.Ignore(exception.Message);
        }
    }

    private static SoakSample[] Samples(Func<int, SoakSample> sample) => [.. Enumerable.Range(0, 10).Select(sample)];

    private static SoakSample Sample(
        int descriptors = 0, int kvmDescriptors = 0, int mappings = 0, int threads = 0, long managed = 0, long privateKilobytes = 0) =>
        new(new ProcessResources(descriptors, kvmDescriptors, mappings, threads, 0, privateKilobytes), managed);
}
