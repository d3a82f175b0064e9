using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>Results and flags against values from the processor manuals.</summary>
[TestFixture]
internal sealed class FlagTests
{
    private const ulong Carry = 0x1;
    private const ulong Parity = 0x4;
    private const ulong Adjust = 0x10;
    private const ulong Zero = 0x40;
    private const ulong Sign = 0x80;
    private const ulong Overflow = 0x800;
    private const ulong All = Carry | Parity | Adjust | Zero | Sign | Overflow;

    [TestCase(0xFFu, 1u, 0x00u, Carry | Parity | Adjust | Zero)]
    [TestCase(0x7Fu, 1u, 0x80u, Adjust | Sign | Overflow)]
    [TestCase(0x80u, 0x80u, 0x00u, Carry | Parity | Zero | Overflow)]
    [TestCase(1u, 2u, 3u, Parity)]
    public void An_addition_of_bytes(uint a, uint b, uint result, ulong flags) =>
        Check(a, b, c => c.add(al, bl), result, flags, All);

    [TestCase(0u, 1u, 0xFFFF_FFFFu, Carry | Parity | Adjust | Sign)]
    [TestCase(0x8000_0000u, 1u, 0x7FFF_FFFFu, Parity | Adjust | Overflow)]
    [TestCase(5u, 5u, 0u, Parity | Zero)]
    public void A_subtraction_of_doublewords(uint a, uint b, uint result, ulong flags) =>
        Check(a, b, c => c.sub(eax, ebx), result, flags, All);

    [Test]
    public void Carry_passes_through_increments_and_into_additions() =>
        Check(ulong.MaxValue, 1, c => { c.add(rax, rbx); c.inc(rbx); c.adc(rax, rbx); }, 3, Parity, All);

    [TestCase(0x80u, 1, 0x00u, Carry | Parity | Zero | Overflow)]
    [TestCase(0x40u, 1, 0x80u, Sign | Overflow)]
    public void A_shift_to_the_left(uint a, int count, uint result, ulong flags) =>
        Check(a, 0, c => c.shl(al, (byte)count), result, flags, All & ~Adjust);

    [Test]
    public void An_arithmetic_shift_keeps_the_sign() =>
        Check(0x8000_0000_0000_0001, 0, c => c.sar(rax, 1), 0xC000_0000_0000_0000, Carry | Sign | Parity, All & ~Adjust);

    [Test]
    public void A_shift_by_nothing_changes_no_flag() =>
        Check(0xFF, 1, c => { c.mov(ecx, 32); c.add(al, bl); c.shl(eax, cl); }, 0, Carry | Parity | Adjust | Zero, All);

    [Test]
    public void A_product_that_needs_its_upper_half_sets_carry() =>
        Check(0x8000_0000, 4, c => { c.mul(ebx); c.mov(eax, edx); }, 2, Carry | Overflow, Carry | Overflow);

    [Test]
    public void A_signed_product_that_fits_clears_carry() =>
        Check(0xFFFF_FFFE, 3, c => c.imul(eax, ebx), 0xFFFF_FFFA, 0, Carry | Overflow);

    [Test]
    public void A_signed_division_rounds_towards_zero() =>
        Check(unchecked((ulong)-7), 2, c => { c.cqo(); c.idiv(rbx); c.neg(rdx); c.add(rax, rdx); }, unchecked((ulong)-2), 0, 0);

    private static void Check(ulong a, ulong b, Action<Assembler> code, ulong result, ulong flags, ulong defined)
    {
        using var guest = new LongModeGuest(new EmulatorHypervisor(), c =>
        {
            c.mov(rax, a);
            c.mov(rbx, b);
            code(c);
            c.hlt();
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        GeneralRegisters registers = guest.Machine.GetGeneralRegisters();
        Assert.That(registers.Rax, Is.EqualTo(result));
        Assert.That(registers.Rflags & defined, Is.EqualTo(flags));
    }
}
