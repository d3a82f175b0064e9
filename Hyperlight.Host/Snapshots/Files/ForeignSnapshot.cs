using Hyperlight.Host.Diagnostics;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>Says who saved a snapshot that this library does not read: the Rust host, or an earlier version of this library.</summary>
internal static class ForeignSnapshot
{
    private const int LongestName = 64;

    /// <param name="directory">Where the snapshot is.</param>
    /// <param name="config">The descriptor of its configuration.</param>
    public static SnapshotFileException Refuse(OciDirectory directory, OciDescriptor config)
    {
        ForeignConfigDocument document = Read(directory, config);
        string abi = document.AbiVersion is { } version ? $", ABI version {version}" : "";
        return directory.Error(
            SnapshotFileProblem.Version,
            $"it was saved by {Name(document.HyperlightVersion)} ('{Printable(config.MediaType)}'{abi}), and this library reads what it has saved "
            + $"itself ('{OciNames.ConfigMediaType}', version {OciNames.FormatVersion}). Take the snapshot anew with this library.");
    }

    private static ForeignConfigDocument Read(OciDirectory directory, OciDescriptor config)
    {
        try
        {
            return directory.ReadDocument(config, "configuration") is { } content
                ? directory.Parse(content, "configuration", ConfigOriginJson.Default.ForeignConfigDocument)
                : new ForeignConfigDocument();
        }
        catch (SnapshotFileException)
        {
            // It is refused either way; it only does not say who saved it.
            return new ForeignConfigDocument();
        }
    }

    private static string Name(string? version) => version switch
    {
        null => "another host of Hyperlight",
        _ when version.StartsWith(ConfigWriter.Product, StringComparison.Ordinal) => $"an earlier version of this library, {Printable(version)}",
        _ => $"Hyperlight {Printable(version)} for Rust",
    };

    /// <summary>A name from a file that anyone may have written, on one line.</summary>
    private static string Printable(string text) =>
        GuestText.Escape(text, LongestName);
}
