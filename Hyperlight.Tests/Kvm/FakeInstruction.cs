namespace Hyperlight.Tests.Kvm;

/// <summary>What an operand of an emulated instruction does.</summary>
internal enum FakeAccess
{
    Read,
    Write,
    In,
    Out,
}

/// <summary>One access of an instruction.</summary>
/// <param name="Access">What it does.</param>
/// <param name="IsMmio">Whether nothing is mapped there, so that the host has to answer. Ports are the host's anyway.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Memory">What a read finds in memory.</param>
internal sealed record FakeOperand(FakeAccess Access, bool IsMmio, uint Size, ulong Memory = 0)
{
    /// <summary>Where nothing is mapped.</summary>
    public const ulong MmioAddress = 0x1000_0000;

    public override string ToString() => $"{Access}{Size * 8}{(IsMmio ? " (MMIO)" : "")}";
}

/// <summary>An instruction as KVM's emulator sees it: its accesses, in order.</summary>
internal sealed record FakeInstruction(params IReadOnlyList<FakeOperand> Operands)
{
    /// <summary>Whether there is a REP prefix, so that RCX counts.</summary>
    public bool IsRepeated { get; init; }

    /// <summary>RFLAGS.DF: KVM reads ahead from a port only if addresses go up.</summary>
    public bool IsBackwards { get; init; }

    /// <summary>Bytes of the instruction.</summary>
    public ulong Length { get; init; } = 3;

    public override string ToString() =>
        $"{(IsRepeated ? "rep " : "")}{string.Join(", ", Operands)}{(IsBackwards ? ", backwards" : "")}";
}
