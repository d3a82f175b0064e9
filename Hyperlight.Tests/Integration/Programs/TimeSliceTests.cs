using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Programs that make no system calls are interrupted: for other threads, and for the signals of timers.</summary>
internal sealed class TimeSliceTests(TestTarget target) : ProgramTest(target)
{
    private ProgramRunner _runner = null!;

    [OneTimeSetUp]
    public void CreateRunner() => _runner = Create(Fixed);

    [TestCase("spin", "set\n")]
    [TestCase("two-spinners", "wrong 0\n")]
    [TestCase("interval", "enough signals 1\nwrong 0\n")]
    [TestCase("created-timer", "enough signals 1\nwrong 0\n")]
    public async Task A_program_that_computes_is_interrupted_and_keeps_its_registers(string command, string output)
    {
        ProgramResult result = await Run(_runner, "", command);

        Assert.That((result.End, result.StandardOutput), Is.EqualTo((ProgramEnd.Exited, output)));
    }

    [Test]
    public async Task An_alarm_ends_a_program_that_computes_for_ever()
    {
        ProgramResult result = await Run(_runner, "", "end-by-alarm");

        Assert.That((result.End, result.Signal), Is.EqualTo((ProgramEnd.Signaled, 14)));
    }

    [Test]
    public async Task A_token_ends_a_program_whose_threads_compute_for_ever()
    {
        using var cancellation = new CancellationTokenSource(200);

        await Assert.ThatAsync(
            () => _runner.RunAsync(new ProgramInput { Arguments = ["spin-for-ever"] }, cancellation.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That((await Run(_runner, "", "spin")).StandardOutput, Is.EqualTo("set\n"), "the next run is not affected");
    }
}
