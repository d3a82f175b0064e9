namespace Hyperlight.Programs;

/// <summary>A program that an application registers with <c>AddProgram</c>: the properties of <see cref="ProgramTemplate"/>.</summary>
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

    /// <inheritdoc cref="ProgramTemplate.Directories"/>
    public IDictionary<string, ProgramDirectory> Directories { get; } = new Dictionary<string, ProgramDirectory>();

    /// <inheritdoc cref="ProgramTemplate.Tools"/>
    public IList<ProgramTool> Tools { get; set; } = [];

    /// <inheritdoc cref="ProgramTemplate.Limits"/>
    public ProgramLimits Limits { get; set; } = new();
}
