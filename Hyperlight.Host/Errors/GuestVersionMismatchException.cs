using Hyperlight.Host.Diagnostics;

namespace Hyperlight;

/// <summary>A guest binary was built for a version of the guest ABI that the sandbox does not accept.</summary>
public sealed class GuestVersionMismatchException : GuestBinaryException
{
    /// <summary>Creates the error.</summary>
    /// <param name="source">The file's path, or the name that was given instead.</param>
    /// <param name="guestVersion">The version in the binary's note.</param>
    /// <param name="acceptedVersions">What would have been accepted.</param>
    public GuestVersionMismatchException(string source, string guestVersion, string acceptedVersions)
        : base(
            source,
            $"it was built for guest ABI version '{GuestText.Escape(guestVersion)}', but this sandbox accepts {acceptedVersions}. "
            + $"Rebuild the guest, or widen {nameof(SandboxConfiguration)}.{nameof(SandboxConfiguration.AcceptedGuestVersions)}.")
    {
        GuestVersion = guestVersion;
        AcceptedVersions = acceptedVersions;
    }

    /// <summary>The version in the binary's note.</summary>
    public string GuestVersion { get; }

    /// <summary>What would have been accepted.</summary>
    public string AcceptedVersions { get; }
}
