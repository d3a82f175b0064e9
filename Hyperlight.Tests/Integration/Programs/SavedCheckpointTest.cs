using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>The base of the tests of checkpoints that are kept in a directory: one for each test.</summary>
internal abstract class SavedCheckpointTest(TestTarget target) : ProgramTest(target)
{
    /// <summary>The directory in which checkpoints are kept.</summary>
    protected string Kept { get; private set; } = null!;

    /// <summary>A program that reaches its checkpoint, and writes the arguments of a run.</summary>
    protected ProgramTemplate Serve => Template("ready-serve");

    /// <summary>What is saved: three files for each checkpoint.</summary>
    protected string[] Blobs => Directory.GetFiles(Path.Combine(Kept, "blobs", "sha256"));

    [SetUp]
    public void CreateDirectory() => Kept = Directory.CreateTempSubdirectory("hyperlight-").FullName;

    [TearDown]
    public void DeleteDirectory() => Directory.Delete(Kept, recursive: true);

    protected static Task<ProgramResult> RunServe(ProgramRunner runner) => runner.RunAsync(ProgramInput.Empty);

    protected ProgramTemplate Template(string command) => new()
    {
        Image = ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions),
        Command = ["/" + Fixed, command],
        Environment = new Dictionary<string, string> { ["NAME"] = "value" },
        Checkpoint = ProgramCheckpoint.Ready,
        CheckpointDirectory = Kept,
        Limits = WithTime(new ProgramLimits()),
        CreateBuilder = () => new SandboxBuilder().WithHypervisor(Target.Hypervisor),
    };
}
