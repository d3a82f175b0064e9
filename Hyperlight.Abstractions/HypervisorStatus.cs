namespace Hyperlight.Abstractions;

/// <summary>Why a hypervisor can or cannot be used on this machine.</summary>
public enum HypervisorAvailability
{
    /// <summary>A guest can run.</summary>
    Usable,

    /// <summary>This operating system or processor architecture has no such hypervisor.</summary>
    UnsupportedPlatform,

    /// <summary>The hypervisor's device does not exist.</summary>
    NoDevice,

    /// <summary>The device exists, but the process has no permission to open it.</summary>
    NoPermission,

    /// <summary>The hypervisor has another version of its interface.</summary>
    WrongApiVersion,

    /// <summary>The hypervisor lacks a capability that guests need.</summary>
    MissingCapability,

    /// <summary>The device could not be used for another reason, named in <see cref="HypervisorStatus.Reason"/>.</summary>
    Failed,

    /// <summary>This version of the library has no driver for the hypervisor yet.</summary>
    NotImplemented,

    /// <summary>The application's options forbid this driver.</summary>
    NotAllowed,
}

/// <summary>The result of <see cref="IHypervisor.Probe"/>.</summary>
/// <param name="Availability">Whether the hypervisor can be used, or why not.</param>
/// <param name="Reason">A sentence for users: what was found, or what is missing.</param>
/// <param name="Remedy">
/// What the user can do about it; <see langword="null"/> when nothing can be done. Of a usable hypervisor: what to do for
/// guests to run faster, or <see langword="null"/>.
/// </param>
public sealed record HypervisorStatus(HypervisorAvailability Availability, string Reason, string? Remedy = null)
{
    /// <summary>Whether a guest can run.</summary>
    public bool IsUsable => Availability == HypervisorAvailability.Usable;

    /// <summary>Creates the status of a hypervisor that can run guests.</summary>
    /// <param name="reason">What was found, such as the device and its interface version.</param>
    /// <param name="remedy">What the user can do to make guests run faster, or <see langword="null"/>.</param>
    public static HypervisorStatus Usable(string reason, string? remedy = null) => new(HypervisorAvailability.Usable, reason, remedy);

    /// <inheritdoc/>
    public override string ToString() => Remedy is null ? Reason : $"{Reason} {Remedy}";
}
