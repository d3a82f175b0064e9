using Hyperlight.Plugins;

namespace Hyperlight.Samples.Plugin;

/// <summary>What the application calls and a plugin implements.</summary>
[PluginContract(typeof(TextPluginJson))]
public interface ITextPlugin
{
    /// <summary>Reverses a text.</summary>
    Task<string> ReverseAsync(string text);

    /// <summary>Counts the words of a document.</summary>
    ValueTask<WordCounts> CountAsync(TextDocument document, int most, CancellationToken cancellationToken);

    /// <summary>Keeps a note until the plugin ends.</summary>
    Task RememberAsync(string? note);

    /// <summary>The note, or <see langword="null"/>.</summary>
    Task<string?> RecallAsync();

    /// <summary>Does what a plugin should not do.</summary>
    Task<string> MisbehaveAsync(Misbehaviour kind);
}
