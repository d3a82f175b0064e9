using Hyperlight.Abstractions;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>x87 instructions in a guest: the stack, the conditions, and the memory formats.</summary>
[TestFixture]
internal sealed class X87Tests
{
    private const ulong Data = LongModeGuest.DataAddress;
    private const int StackFault = 0x41;
    private const int Condition1 = 0x200;
    private static readonly UInt128 One = new(0x3FFF, 0x8000_0000_0000_0000);
    private static readonly UInt128 DefaultNaN = new(0xFFFF, 0xC000_0000_0000_0000);

    [Test]
    public void Values_are_pushed_and_popped()
    {
        FpuRegisters fpu = X87Guest.Run(c => { c.fld1(); c.fldpi(); c.faddp(st1, st0); });

        // Pi plus one: a bit of pi is lost, and the rest was even.
        Assert.That(fpu.St[0], Is.EqualTo(new UInt128(0x4001, 0x8487_ED51_10B4_611A)));
        Assert.That(fpu.TagWord, Is.EqualTo(0x80));
        Assert.That(fpu.StatusWord & 0x3800, Is.EqualTo(7 << 11));
        Assert.That(fpu.StatusWord & 0x3F, Is.EqualTo(0x20));
    }

    [Test]
    public void Reading_an_empty_register_gives_the_default_NaN()
    {
        FpuRegisters fpu = X87Guest.Run(c => c.fadd(st0, st1));

        Assert.That(fpu.St[0], Is.EqualTo(DefaultNaN));
        Assert.That(fpu.StatusWord & (0xFF | Condition1), Is.EqualTo(StackFault));
    }

    [Test]
    public void Pushing_a_ninth_value_gives_the_default_NaN()
    {
        FpuRegisters fpu = X87Guest.Run(c =>
        {
            for (int i = 0; i < 9; i++)
            {
                c.fld1();
            }
        });

        Assert.That(fpu.St[0], Is.EqualTo(DefaultNaN));
        Assert.That(fpu.St[1], Is.EqualTo(One));
        Assert.That(fpu.StatusWord & (0xFF | Condition1), Is.EqualTo(StackFault | Condition1));
    }

    [Test]
    public void Zero_times_a_logarithm_outside_its_domain_is_zero()
    {
        // FYL2XP1 of -4 and 0: the result is undefined by the manuals; processors give the zero of the product's sign.
        FpuRegisters fpu = X87Guest.Run(c =>
        {
            c.fldz();
            c.fld1();
            c.fchs();
            c.fadd(st0, st0);
            c.fadd(st0, st0);
            c.fyl2xp1();
        });

        Assert.That(fpu.St[0], Is.EqualTo(new UInt128(0x8000, 0)));
    }

    [TestCase(1, 2, 0x0100)]
    [TestCase(2, 2, 0x4000)]
    [TestCase(3, 2, 0x0000)]
    public void A_comparison_sets_the_conditions(int a, int b, int conditions)
    {
        FpuRegisters fpu = X87Guest.Run(c =>
        {
            c.mov(__dword_ptr[Data], a);
            c.mov(__word_ptr[Data + 4], (short)b);
            c.fild(__dword_ptr[Data]);
            c.ficom(__word_ptr[Data + 4]);
        });

        Assert.That(fpu.StatusWord & 0x4500, Is.EqualTo(conditions));
    }

    [Test]
    public void A_comparison_can_set_the_processor_flags()
    {
        ulong flags = RunForRax(c =>
        {
            c.fldz();
            c.fld1();
            c.fcomip(st0, st1);
            c.pushfq();
            c.pop(rax);
        });
        Assert.That(flags & 0x8D5, Is.Zero);

        flags = RunForRax(c =>
        {
            c.fldz();
            c.fldz();
            c.fdivp(st1, st0);
            c.fucomi(st0, st0);
            c.pushfq();
            c.pop(rax);
        });
        Assert.That(flags & 0x8D5, Is.EqualTo(0x45));
    }

    [Test]
    public void A_move_follows_its_condition()
    {
        FpuRegisters fpu = X87Guest.Run(c =>
        {
            c.fld1();
            c.fldz();
            c.stc();
            c.fcmovnb(st0, st1);
            c.fld(st0);
            c.fcmovb(st0, st2);
        });

        Assert.That(fpu.St[1], Is.EqualTo(UInt128.Zero));
        Assert.That(fpu.St[0], Is.EqualTo(One));
    }

    [Test]
    public void Integers_and_decimals_go_through_memory()
    {
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            c.mov(rax, -1234567L);
            c.mov(__[Data], rax);
            c.fild(__qword_ptr[Data]);
            c.fld(st0);
            c.fbstp(__tbyte_ptr[Data + 16]);
            c.fistp(__dword_ptr[Data + 32]);
            c.fbld(__tbyte_ptr[Data + 16]);
            c.fstp(__qword_ptr[Data + 40]);
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(
            guest.Memory.GetSpan((nuint)Data + 16, 10).ToArray(),
            Is.EqualTo(new byte[] { 0x67, 0x45, 0x23, 0x01, 0, 0, 0, 0, 0, 0x80 }));
        Assert.That(BitConverter.ToInt32(guest.Memory.GetSpan((nuint)Data + 32, 4)), Is.EqualTo(-1234567));
        Assert.That(BitConverter.ToDouble(guest.Memory.GetSpan((nuint)Data + 40, 8)), Is.EqualTo(-1234567.0));
    }

    [TestCase(0x4005_BF0A_8B14_5769UL)]
    [TestCase(0x0000_0000_0000_0001UL)]
    [TestCase(0xFFF0_0000_0000_0000UL)]
    public void A_double_is_loaded_exactly_and_stored_again(ulong bits)
    {
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            c.mov(rax, bits);
            c.mov(__[Data], rax);
            c.fld(__qword_ptr[Data]);
            c.fstp(__tbyte_ptr[Data + 16]);
            c.fld(__tbyte_ptr[Data + 16]);
            c.fstp(__qword_ptr[Data + 32]);
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(BitConverter.ToUInt64(guest.Memory.GetSpan((nuint)Data + 32, 8)), Is.EqualTo(bits));
    }

    [Test]
    public void The_environment_has_the_last_instruction()
    {
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            c.mov(ebx, (uint)Data);
            c.fld(__dword_ptr[rbx + 4]);
            c.fincstp();
            c.fmul(__qword_ptr[rbx + 0x40]);
            c.fnstenv(__[Data]);
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        uint[] environment = new uint[7];
        Buffer.BlockCopy(guest.Memory.GetSpan((nuint)Data, 28).ToArray(), 0, environment, 0, 28);

        // FNINIT has two bytes, MOV five, FLD three, FINCSTP two; FMUL is DC 4B 40.
        Assert.That(environment[0], Is.EqualTo(0xFFFF_037F));
        Assert.That(environment[2], Is.EqualTo(0xFFFF_7FFE));
        Assert.That(environment[3], Is.EqualTo(LongModeGuest.CodeAddress + 12));
        Assert.That(environment[4], Is.EqualTo(0x044B_0000));
        Assert.That(environment[5], Is.EqualTo(Data + 0x40));
    }

    [Test]
    public void Saved_state_can_be_restored()
    {
        FpuRegisters fpu = X87Guest.Run(c =>
        {
            c.fldpi();
            c.fld1();
            c.fnsave(__[Data]);
            c.fldz();
            c.frstor(__[Data]);
        });

        Assert.That(fpu.St[0], Is.EqualTo(One));
        Assert.That(fpu.St[1], Is.EqualTo(new UInt128(0x4000, 0xC90F_DAA2_2168_C235)));
        Assert.That(fpu.TagWord, Is.EqualTo(0xC0));
        Assert.That(fpu.StatusWord & 0x3800, Is.EqualTo(6 << 11));
    }

    [TestCase(0.5)]
    [TestCase(1e6)]
    [TestCase(-3)]
    public void Functions_are_right_to_double_precision(double value)
    {
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            c.mov(rax, BitConverter.DoubleToUInt64Bits(value));
            c.mov(__[Data], rax);
            c.fld(__qword_ptr[Data]);
            c.fsincos();
            c.fstp(__qword_ptr[Data + 8]);
            c.fstp(__qword_ptr[Data + 16]);
            c.fld(__qword_ptr[Data]);
            c.fld1();
            c.fpatan();
            c.fstp(__qword_ptr[Data + 24]);
            c.fld1();
            c.fld(__qword_ptr[Data]);
            c.fabs();
            c.fyl2x();
            c.fstp(__qword_ptr[Data + 32]);
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(Result(guest, 8), Is.EqualTo(Math.Cos(value)).Within(1e-14));
        Assert.That(Result(guest, 16), Is.EqualTo(Math.Sin(value)).Within(1e-14));
        Assert.That(Result(guest, 24), Is.EqualTo(Math.Atan2(value, 1)).Within(1e-14));
        Assert.That(Result(guest, 32), Is.EqualTo(Math.Log2(Math.Abs(value))).Within(1e-14));
    }

    [Test]
    public void An_angle_that_is_too_large_is_left_to_the_program()
    {
        FpuRegisters fpu = X87Guest.Run(c =>
        {
            c.mov(rax, 0x43E0_0000_0000_0000);
            c.mov(__[Data], rax);
            c.fld(__qword_ptr[Data]);
            c.fsin();
        });

        Assert.That(fpu.StatusWord & 0x400, Is.Not.Zero);
        Assert.That(fpu.St[0], Is.EqualTo(new UInt128(0x403E, 0x8000_0000_0000_0000)));
    }

    private static double Result(LongModeGuest guest, int offset) =>
        BitConverter.ToDouble(guest.Memory.GetSpan((nuint)Data + (nuint)offset, 8));

    private static ulong RunForRax(Action<Assembler> code)
    {
        using LongModeGuest guest = X87Guest.Create(code);
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        return guest.Machine.GetGeneralRegisters().Rax;
    }
}
