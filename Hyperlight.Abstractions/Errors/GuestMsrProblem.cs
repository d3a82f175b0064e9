namespace Hyperlight;

/// <summary>Why a guest cannot be permitted a model-specific register.</summary>
public enum GuestMsrProblem
{
    /// <summary>More registers are named than a policy can hold.</summary>
    TooMany,

    /// <summary>No processor has a register of this number.</summary>
    Undefined,

    /// <summary>Writing it is a command: there is no value to save and to put back.</summary>
    WriteOnlyCommand,

    /// <summary>Its value does not stand still, and cannot be put back.</summary>
    Clock,

    /// <summary>It belongs to a processor feature that CPUID does not show to guests.</summary>
    HiddenFeature,

    /// <summary>It is an interface to a hypervisor, which may write to guest memory because of it.</summary>
    Paravirtual,

    /// <summary>The hypervisor does not have it, or does not let it be saved and put back.</summary>
    NotSupported,
}
