using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Programs on a sandbox with a seed, whose runs are repeatable.</summary>
internal sealed class RepeatableProgramTests
{
    /// <summary>The time of an interrupt is another one in each run.</summary>
    [Test]
    public async Task A_program_that_computes_is_not_interrupted()
    {
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate
        {
            Image = ProgramImage.FromExecutable(
                Path.Combine(AppContext.BaseDirectory, "guests", "program.elf"),
                new ProgramImageOptions { CacheDirectory = Path.Combine(AppContext.BaseDirectory, "programs", "images") }),
            Limits = new ProgramLimits { Time = TimeSpan.FromMilliseconds(500) },
            CreateBuilder = static () => new SandboxBuilder().UseEmulator(seed: 1),
        });

        ProgramResult result = await runner.RunAsync(new ProgramInput { Arguments = ["spin"] });

        Assert.That(result.End, Is.EqualTo(ProgramEnd.TimeLimit));
    }
}
