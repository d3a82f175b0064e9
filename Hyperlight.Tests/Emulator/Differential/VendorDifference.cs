using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>
/// What processors of one vendor do otherwise than the managed machine, where the manuals allow both, or say nothing.
/// </summary>
/// <param name="Vendor">Whose processors.</param>
/// <param name="What">What they do.</param>
/// <param name="Concerns">Whether an instruction can show it.</param>
/// <param name="Apply">Makes of the machine's result what the vendor's processor gives, if it gave that.</param>
internal sealed record VendorDifference(
    ProcessorVendor Vendor, string What, VendorDifference.Test Concerns, VendorDifference.Adaptation Apply)
{
    public delegate bool Test(in Instruction instruction);

    public delegate void Adaptation(Results results);

    public bool IsOf(ProcessorVendor vendor) => vendor == Vendor || vendor == ProcessorVendor.Other;
}

/// <summary>The results of one instruction on both processors.</summary>
internal sealed class Results
{
    public required Instruction Instruction { get; init; }

    public required CpuState Input { get; init; }

    /// <summary>What the processor made of it.</summary>
    public required CpuState Expected { get; init; }

    /// <summary>What the managed machine made of it.</summary>
    public CpuState Actual;

    /// <summary>The operand in memory, if there is one.</summary>
    public byte[] Memory { get; init; } = [];

    /// <summary>The exception that the processor raised.</summary>
    public Fault? Fault { get; init; }

    /// <summary>The second vector operand.</summary>
    public ReadOnlySpan<byte> Source => Instruction.Op1Kind == OpKind.Register
        ? Input.Xmm(Instruction.Op1Register - Register.XMM0)
        : Memory.AsSpan(0, Math.Min(16, Memory.Length));
}
