using System.Collections;

namespace Hyperlight.Host.Diagnostics;

/// <summary>The logging scope of every record that belongs to a sandbox: its id, and its guest.</summary>
/// <param name="sandboxId">The sandbox's id.</param>
/// <param name="guest">What the guest was read from.</param>
internal sealed class SandboxScope(long sandboxId, string guest) : IReadOnlyList<KeyValuePair<string, object?>>
{
    private KeyValuePair<string, object?>[]? _properties;

    public int Count => Properties.Length;

    /// <summary>Made for the first record: most sandboxes log none.</summary>
    private KeyValuePair<string, object?>[] Properties => _properties ??= [new("SandboxId", sandboxId), new("Guest", guest)];

    public KeyValuePair<string, object?> this[int index] => Properties[index];

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => Properties.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"Sandbox {sandboxId} of {guest}";
}
