namespace Hyperlight.Tests.Whp;

/// <summary>What a simulated platform is like. The defaults are those of Windows 11.</summary>
internal sealed class SimulatedWhpTraits
{
    /// <summary>Whether there is a library.</summary>
    public bool HasLibrary { get; set; } = true;

    /// <summary>The functions that the library lacks.</summary>
    public List<string> MissingFunctions { get; } = [];

    /// <summary>Whether the hypervisor runs.</summary>
    public bool IsHypervisorPresent { get; set; } = true;

    /// <summary>WHV_CAPABILITY_FEATURES: PartialUnmap, LocalApicEmulation, Xsave and DirtyPageTracking.</summary>
    public ulong Features { get; set; } = 0xF;

    /// <summary>WHV_PROCESSOR_FEATURES_BANKS: what the host has; empty for a platform that does not know the capability.</summary>
    public ulong[] ProcessorFeatures { get; set; } = [ulong.MaxValue >> 1, 0x3F_FFFF];

    /// <summary>The HRESULT of creating a partition; 0 lets it be created.</summary>
    public int CreateResult { get; set; }

    /// <summary>Whether the property of CPUID results with masks is known.</summary>
    public bool KnowsCpuidResultList2 { get; set; } = true;

    /// <summary>How many bytes the XSAVE image takes.</summary>
    public int XsaveSize { get; set; } = 2696;

    /// <summary>Model-specific registers besides those of the emulator, by the platform's name, with their values at the start.</summary>
    public Dictionary<uint, ulong> FurtherRegisters { get; } = [];

    /// <summary>Of those, the ones that cannot be written.</summary>
    public HashSet<uint> ReadOnlyRegisters { get; } = [];

    /// <summary>Registers of pending events that this version does not have.</summary>
    public HashSet<uint> MissingRegisters { get; } = [];

    /// <summary>Whether no virtual address has a translation.</summary>
    public bool RefusesTranslations { get; set; }

    /// <summary>Whether an exit has the bytes of the instruction.</summary>
    public bool GivesInstructionBytes { get; set; } = true;

    /// <summary>How many cancellations are refused before one is taken.</summary>
    public int CancellationsRefused { get; set; }
}
