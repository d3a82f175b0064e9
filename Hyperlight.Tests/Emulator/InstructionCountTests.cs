using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>The number of executed instructions follows from what the guest does, not from what the emulator keeps of it.</summary>
[TestFixture]
internal sealed class InstructionCountTests
{
    private const uint Function = 0x9000;
    private const byte Return = 0xC3;
    private const int Elements = 100;

    [Test]
    public void The_count_does_not_depend_on_which_code_is_kept_decoded([Values] bool isCompiled) =>
        Assert.That(Count(isCompiled, mostDecodedBytes: 1), Is.EqualTo(Count(isCompiled, mostDecodedBytes: 1 << 20)));

    /// <summary>Calls a function and overwrites it with a single instruction.</summary>
    private static long Count(bool isCompiled, long mostDecodedBytes)
    {
        var options = new EmulatorOptions { TranslateHotCode = isCompiled, HotThreshold = 1, MostDecodedBytes = mostDecodedBytes };
        using var guest = new LongModeGuest(new EmulatorHypervisor(options), static c =>
        {
            c.mov(edi, Function);
            c.call(rdi);
            c.mov(eax, Return);
            c.mov(ecx, Elements);
            c.rep.stosb();
            c.hlt();
        });
        guest.Memory.Write((nuint)Function, [Return]);

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        return ((IInstructionCounter)guest.Machine).InstructionCount;
    }
}
