using Hyperlight.Programs;

namespace Hyperlight.Samples.McpServer.Tests;

/// <summary>Programs that the tests run, on the first usable driver.</summary>
internal static class Programs
{
    /// <summary>The path of a program whose first argument says what it does.</summary>
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "program.elf");

    /// <summary>Creates a runner. The images of the tests are not those of the user.</summary>
    public static Task<ProgramRunner> CreateAsync(params string[] command) => ProgramRunner.CreateAsync(new ProgramTemplate
    {
        Image = ProgramImage.FromExecutable(Path, new ProgramImageOptions { CacheDirectory = System.IO.Path.Combine(AppContext.BaseDirectory, "images") }),
        Command = ["program", .. command],
    });
}
