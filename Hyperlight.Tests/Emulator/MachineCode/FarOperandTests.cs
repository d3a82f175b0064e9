using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Kvm;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>Operands whose distance does not fit 64 bits with a sign lie beside each other only by an overflow.</summary>
[TestFixture]
internal sealed class FarOperandTests
{
    /// <summary>The first address behind the guest's memory, and an address of its last page.</summary>
    private const ulong Outside = 0x1_0000;
    private const ulong LastPage = 0xF800;
    private const int Turns = 5;

    [SetUp]
    public void Require() => EmittingHost.Require();

    /// <summary>Their difference, cut to 32 bits, would lead from a page of the guest to memory of the host.</summary>
    [Test]
    public void Absolute_operands_that_are_far_from_each_other_share_no_translation(
        [Values(0x1000UL, 0x2000UL, 0x7FFF_F000UL, 0xFFFF_F000UL)] ulong distance, [Values(true, false)] bool isVerified)
    {
        const ulong half = 0x8000_0000_0000_0000;
        using var guest = new LongModeGuest(
            new EmulatorHypervisor(new EmulatorOptions { Tier = CodeTier.Machine, HotThreshold = 1, VerifiesEmittedCode = isVerified }),
            c =>
            {
                c.AddInstruction(Instruction.CreateDeclareByte([0x48, 0xA1, .. BitConverter.GetBytes(LastPage)]));
                c.AddInstruction(Instruction.CreateDeclareByte([0x48, 0xA1, .. BitConverter.GetBytes(Outside)]));
                c.AddInstruction(Instruction.CreateDeclareByte([0x48, 0xA1, .. BitConverter.GetBytes(half + Outside - distance)]));
            });
        for (int i = 0; i < Turns; i++)
        {
            guest.Restart();
            VmExit exit = guest.Machine.Run();
            Assert.That(exit.Reason == VmExitReason.MmioRead, $"turn {i} ended with {exit}");
        }

        Assert.That(((EmulatorVirtualMachine)guest.Machine).CodeEntries > 0);
    }
}
