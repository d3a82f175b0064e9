namespace Hyperlight.Abstractions;

/// <summary>Segment, descriptor-table and control registers of a vCPU, EFER and the APIC base.</summary>
public record struct SpecialRegisters
{
    /// <summary>CS.</summary>
    public SegmentRegister Cs { get; set; }

    /// <summary>DS.</summary>
    public SegmentRegister Ds { get; set; }

    /// <summary>ES.</summary>
    public SegmentRegister Es { get; set; }

    /// <summary>FS.</summary>
    public SegmentRegister Fs { get; set; }

    /// <summary>GS.</summary>
    public SegmentRegister Gs { get; set; }

    /// <summary>SS.</summary>
    public SegmentRegister Ss { get; set; }

    /// <summary>Task register.</summary>
    public SegmentRegister Tr { get; set; }

    /// <summary>Local descriptor table register.</summary>
    public SegmentRegister Ldtr { get; set; }

    /// <summary>GDTR.</summary>
    public DescriptorTableRegister Gdtr { get; set; }

    /// <summary>IDTR.</summary>
    public DescriptorTableRegister Idtr { get; set; }

    /// <summary>CR0.</summary>
    public ulong Cr0 { get; set; }

    /// <summary>CR2, the address of the last page fault.</summary>
    public ulong Cr2 { get; set; }

    /// <summary>CR3, the guest physical address of the root page table.</summary>
    public ulong Cr3 { get; set; }

    /// <summary>CR4.</summary>
    public ulong Cr4 { get; set; }

    /// <summary>CR8, the task priority.</summary>
    public ulong Cr8 { get; set; }

    /// <summary>The EFER model-specific register.</summary>
    public ulong Efer { get; set; }

    /// <summary>The APIC base model-specific register.</summary>
    public ulong ApicBase { get; set; }
}
