namespace Hyperlight.Programs;

/// <summary>
/// A program that an application registers with <c>AddProgram</c>: the properties of <see cref="ProgramTemplate"/>, and those of a pool. They
/// are checked when the application starts.
/// </summary>
public sealed class ProgramOptions
{
    /// <inheritdoc cref="ProgramTemplate.Image"/>
    /// <remarks>It must be set.</remarks>
    public ProgramImage? Image { get; set; }

    /// <inheritdoc cref="ProgramTemplate.Executable"/>
    public string? Executable { get; set; }

    /// <inheritdoc cref="ProgramTemplate.WorkingDirectory"/>
    public string WorkingDirectory { get; set; } = "/";

    /// <inheritdoc cref="ProgramTemplate.Command"/>
    public IList<string> Command { get; set; } = [];

    /// <inheritdoc cref="ProgramTemplate.Environment"/>
    public IDictionary<string, string> Environment { get; } = new Dictionary<string, string>();

    /// <inheritdoc cref="ProgramTemplate.Checkpoint"/>
    public ProgramCheckpoint Checkpoint { get; set; }

    /// <inheritdoc cref="ProgramTemplate.TrialInput"/>
    public ProgramInput? TrialInput { get; set; }

    /// <inheritdoc cref="ProgramTemplate.CheckpointDirectory"/>
    public string? CheckpointDirectory { get; set; }

    /// <inheritdoc cref="ProgramTemplate.Directories"/>
    public IDictionary<string, ProgramDirectory> Directories { get; } = new Dictionary<string, ProgramDirectory>();

    /// <inheritdoc cref="ProgramTemplate.Tools"/>
    /// <remarks>Runs take place at the same time, and call them at the same time.</remarks>
    public IList<ProgramTool> Tools { get; set; } = [];

    /// <inheritdoc cref="ProgramTemplate.Network"/>
    public ProgramNetwork? Network { get; set; }

    /// <inheritdoc cref="ProgramTemplate.Seed"/>
    public ulong? Seed { get; set; }

    /// <inheritdoc cref="ProgramTemplate.StartTime"/>
    /// <remarks>It is checked when the application starts.</remarks>
    public DateTimeOffset? StartTime { get; set; }

    /// <inheritdoc cref="ProgramTemplate.Limits"/>
    public ProgramLimits Limits { get; set; } = new();

    /// <summary>
    /// The pool of the program's micro VMs: how many runs take place at the same time, and how many wait. <see
    /// cref="SandboxPoolOptions.Isolation"/> is one of the two modes that keep no state, and there is no <see
    /// cref="SandboxPoolOptions.Budget"/>.
    /// </summary>
    public SandboxPoolOptions Pool { get; set; } = new();

    /// <summary>How messages name the options: the path of their configuration section, or the program.</summary>
    internal string Source { get; set; } = "";

    /// <summary>What is wrong with the configuration section.</summary>
    internal List<string> Problems { get; } = [];
}
