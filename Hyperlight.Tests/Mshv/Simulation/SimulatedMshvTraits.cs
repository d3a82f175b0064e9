namespace Hyperlight.Tests.Mshv;

/// <summary>What a simulated kernel and its hypervisor are like. The defaults are those of Linux 6.15.</summary>
internal sealed class SimulatedMshvTraits
{
    /// <summary>The errno of opening the device; 0 lets it be opened.</summary>
    public int OpenError { get; set; }

    /// <summary>The errno of creating a partition; 0 lets it be created.</summary>
    public int CreateError { get; set; }

    /// <summary>Whether the device knows none of these requests.</summary>
    public bool HasOldInterface { get; set; }

    /// <summary>Whether there are no generic hypercalls.</summary>
    public bool HasNoHypercalls { get; set; }

    /// <summary>The status of setting a partition's properties; 0 lets them be set.</summary>
    public ushort PropertyStatus { get; set; }

    /// <summary>LAPIC, X2APIC and GPA_SUPER_PAGES.</summary>
    public ulong KnownCreateFlags { get; set; } = 7;

    /// <summary>Whether the register page can be mapped.</summary>
    public bool HasRegisterPage { get; set; } = true;

    /// <summary>After how many requests the register page becomes invalid without a reason; 0 for never.</summary>
    public int InvalidatesPageEvery { get; set; }

    /// <summary>How many repetitions of a hypercall are completed at once; 0 for all.</summary>
    public int RepsAtOnce { get; set; }

    /// <summary>How many hypercalls in a row find too little memory before one succeeds.</summary>
    public int MemoryShortages { get; set; }

    /// <summary>How many runs in a row say that they have to be tried again.</summary>
    public int RunsToTryAgain { get; set; }

    /// <summary>How many runs in a row are interrupted before the guest is entered, by signals that are for someone else.</summary>
    public int RunsInterrupted { get; set; }

    /// <summary>
    /// How many interrupted runs return the message that the processor was about to send instead of EINTR, as under the
    /// hypervisor's scheduler.
    /// </summary>
    public int MessagesInFlight { get; set; }

    /// <summary>How many bytes the XSAVE image takes.</summary>
    public int XsaveSize { get; set; } = 2696;

    /// <summary>Model-specific registers besides those of the emulator, by the hypervisor's name, with their values at the start.</summary>
    public Dictionary<uint, ulong> FurtherRegisters { get; } = [];

    /// <summary>Of those, the ones that cannot be written.</summary>
    public HashSet<uint> ReadOnlyRegisters { get; } = [];

    /// <summary>Whether an intercept at a port has the bytes of the instruction.</summary>
    public bool GivesInstructionBytes { get; set; } = true;

    /// <summary>Whether the hypervisor refuses every translation of an address.</summary>
    public bool RefusesTranslations { get; set; }

    /// <summary>The errno of sending a signal; 0 lets it be sent.</summary>
    public int SignalError { get; set; }

    /// <summary>How many signals arrive before the processor is inside, and have no effect.</summary>
    public int SignalsMissed { get; set; }
}
