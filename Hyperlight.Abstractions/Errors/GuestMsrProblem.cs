namespace Hyperlight;

/// <summary>Why a guest cannot be permitted a model-specific register.</summary>
public enum GuestMsrProblem
{
    /// <summary>The policy would have too many additional registers.</summary>
    TooMany,

    /// <summary>No processor has a register of this number.</summary>
    Undefined,

    /// <summary>The register is a write-only command: it has no value that could be saved and restored.</summary>
    WriteOnlyCommand,

    /// <summary>Its value changes with time, and cannot be restored.</summary>
    Clock,

    /// <summary>It belongs to a processor feature that CPUID does not show to guests.</summary>
    HiddenFeature,

    /// <summary>It is an interface to a hypervisor, which could write to guest memory.</summary>
    Paravirtual,

    /// <summary>The hypervisor does not have it, or cannot save and restore it.</summary>
    NotSupported,
}
