namespace Hyperlight;

/// <summary>Which guest ABI versions a sandbox accepts. A guest that does not state a version is always accepted.</summary>
public sealed class GuestVersionPolicy
{
    private readonly Func<string, bool> _accepts;
    private readonly string _description;

    private GuestVersionPolicy(Func<string, bool> accepts, string description)
    {
        _accepts = accepts;
        _description = description;
    }

    /// <summary>The default: any 0.15.x or 0.16.x, whose x86-64 guest ABIs are the same.</summary>
    public static GuestVersionPolicy Compatible { get; } =
        new(version => HasSeries(version, "0.15.") || HasSeries(version, "0.16."), "0.15.x and 0.16.x");

    /// <summary>Every version. The guest may then expect an ABI that this library does not have.</summary>
    public static GuestVersionPolicy Any { get; } = new(_ => true, "any version");

    /// <summary>Only the versions given, compared as text.</summary>
    /// <param name="versions">The versions, such as <c>0.15.0</c>; at least one.</param>
    /// <exception cref="ArgumentException">No version is given.</exception>
    public static GuestVersionPolicy Exactly(params string[] versions)
    {
        ArgumentNullException.ThrowIfNull(versions);
        if (versions.Length == 0)
        {
            throw new ArgumentException("At least one version is needed.", nameof(versions));
        }

        string[] copy = [.. versions];
        return new(version => copy.Contains(version, StringComparer.Ordinal), string.Join(" and ", copy));
    }

    /// <summary>Whether a version is accepted.</summary>
    /// <param name="version">The version in a guest's note.</param>
    public bool Accepts(string version)
    {
        ArgumentNullException.ThrowIfNull(version);
        return _accepts(version);
    }

    /// <summary>The accepted versions in words.</summary>
    public override string ToString() => _description;

    private static bool HasSeries(string version, string prefix) =>
        version.StartsWith(prefix, StringComparison.Ordinal)
        && version.Length > prefix.Length
        && version.AsSpan(prefix.Length).IndexOfAnyExceptInRange('0', '9') < 0;
}
