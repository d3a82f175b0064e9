namespace Hyperlight.Abstractions;

/// <summary>GDTR or IDTR.</summary>
public record struct DescriptorTableRegister
{
    /// <summary>Linear address of the table.</summary>
    public ulong Base { get; set; }

    /// <summary>Size of the table in bytes, less one.</summary>
    public ushort Limit { get; set; }
}
