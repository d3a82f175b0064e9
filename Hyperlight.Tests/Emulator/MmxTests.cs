using Hyperlight.Abstractions;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>Instructions on MMX registers, and what they do to the x87.</summary>
[TestFixture]
internal sealed class MmxTests
{
    private const ulong Data = LongModeGuest.DataAddress;

    private static IEnumerable<TestCaseData> Operations()
    {
        yield return Case("paddb wraps", c => c.paddb(mm0, mm1), 0x01FF_7F80_0000_0001, 0x0102_0180_0000_0001, 0x0201_8000_0000_0002);
        yield return Case("paddsb saturates", c => c.paddsb(mm0, mm1), 0x7F80_0000_0000_0000, 0x01FF_0000_0000_0000, 0x7F80_0000_0000_0000);
        yield return Case("paddusw saturates", c => c.paddusw(mm0, mm1), 0xFFFF_0001_0000_0000, 0x0001_0001_0000_0000, 0xFFFF_0002_0000_0000);
        yield return Case("psubusb stops at zero", c => c.psubusb(mm0, mm1), 0x0105, 0x0203, 0x0002);
        yield return Case("pmulhuw", c => c.pmulhuw(mm0, mm1), 0xFFFF_8000, 0xFFFF_0002, 0xFFFE_0001);
        yield return Case("pmulhrsw", c => c.pmulhrsw(mm0, mm1), 0x8000_4000, 0x8000_4000, 0x8000_2000);
        yield return Case("pmaddwd", c => c.pmaddwd(mm0, mm1), 0x8000_8000_0002_0003, 0x8000_8000_0004_0005, 0x8000_0000_0000_0017);
        yield return Case("pavgb rounds up", c => c.pavgb(mm0, mm1), 0xFF01, 0xFE02, 0xFF02);
        yield return Case("psadbw", c => c.psadbw(mm0, mm1), 0xFF00_0000_0000_0001, 0x00FF_0000_0000_0003, 0x200);
        yield return Case("packsswb", c => c.packsswb(mm0, mm1), 0x8000_7FFF_0001_FFFF, 0x0080_007F_FF7F_FF80, 0x7F7F_8080_807F_01FF);
        yield return Case("punpckhbw", c => c.punpckhbw(mm0, mm1), 0x0102_0304_0000_0000, 0xA1A2_A3A4_0000_0000, 0xA101_A202_A303_A404);
        yield return Case("psraw by much", c => c.psraw(mm0, mm1), 0x8000_7FFF_0001_FFFF, 0x1_0000_0000, 0xFFFF_0000_0000_FFFF);
        yield return Case("psllq by a constant", c => c.psllq(mm0, 63), 3, 0, 0x8000_0000_0000_0000);
        yield return Case("pshufw", c => c.pshufw(mm0, mm1, 0x1B), 0, 0x0001_0002_0003_0004, 0x0004_0003_0002_0001);
        yield return Case("pshufb", c => c.pshufb(mm0, mm1), 0x0706_0504_0302_0100, 0x8001_0203_0405_0600, 0x0001_0203_0405_0600);
        yield return Case("palignr", c => c.palignr(mm0, mm1, 3), 0x1122_3344_5566_7788, 0x99AA_BBCC_DDEE_FF00, 0x6677_8899_AABB_CCDD);
        yield return Case("phsubsw", c => c.phsubsw(mm0, mm1), 0x0001_8000, 0x8000_0001, 0x7FFF_0000_8000);
        yield return Case("psignw", c => c.psignw(mm0, mm1), 0x8000_0005_0006_0007, 0xFFFF_FFFF_0000_0001, 0x8000_FFFB_0000_0007);
        yield return Case("pabsb keeps the smallest", c => c.pabsb(mm0, mm1), 0, 0x80FF, 0x8001);

        static TestCaseData Case(string name, Action<Assembler> code, ulong a, ulong b, ulong result) =>
            new TestCaseData(code, a, b, result).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Operations))]
    public void An_operation_has_the_result_of_the_manual(Action<Assembler> code, ulong a, ulong b, ulong result)
    {
        FpuRegisters fpu = X87Guest.Run(c => { Load(c, a, b); code(c); });

        Assert.That(fpu.St[0], Is.EqualTo(new UInt128(0xFFFF, result)));
    }

    [Test]
    public void An_operation_makes_all_registers_in_use_and_the_first_the_top()
    {
        FpuRegisters fpu = X87Guest.Run(c => { c.fld1(); c.movq(rax, mm3); });

        Assert.That(fpu.TagWord, Is.EqualTo(0xFF));
        Assert.That(fpu.StatusWord & 0x3800, Is.Zero);
        Assert.That(fpu.St[7], Is.EqualTo(new UInt128(0x3FFF, 0x8000_0000_0000_0000)));
    }

    [Test]
    public void Leaving_makes_all_registers_empty() =>
        Assert.That(X87Guest.Run(c => { Load(c, 1, 2); c.emms(); }).TagWord, Is.Zero);

    [Test]
    public void A_masked_store_writes_the_bytes_that_the_mask_has()
    {
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            Load(c, 0x8877_6655_4433_2211, 0x8000_0080_007F_FF00);
            c.mov(edi, (uint)Data + 0x40);
            c.maskmovq(mm0, mm1);
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(
            guest.Memory.GetSpan((nuint)Data + 0x40, 8).ToArray(),
            Is.EqualTo(new byte[] { 0, 0x22, 0, 0, 0x55, 0, 0, 0x88 }));
    }

    [Test]
    public void Words_are_inserted_and_extracted()
    {
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            Load(c, 0x8877_6655_4433_2211, 0);
            c.mov(ebx, 0xABCD);
            c.pinsrw(mm0, ebx, 6);
            c.pextrw(eax, mm0, 2);
            c.pmovmskb(ebx, mm0);
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(0xABCD));
        Assert.That(guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(0b1011_0000));
    }

    [Test]
    public void Integers_are_converted_from_and_to_XMM_registers()
    {
        FpuRegisters fpu = X87Guest.Run(c =>
        {
            Load(c, 0xFFFF_FFFE_0100_0001, 0);
            c.cvtpi2ps(xmm1, mm0);
            c.cvttps2pi(mm2, xmm1);
        });

        // 16777217 has one bit too many for single precision.
        Assert.That((ulong)fpu.Xmm[1], Is.EqualTo(0xC000_0000_4B80_0000));
        Assert.That((ulong)fpu.St[2], Is.EqualTo(0xFFFF_FFFE_0100_0000));
        Assert.That(fpu.Mxcsr, Is.EqualTo(0x1FA0));
    }

    [Test]
    public void A_conversion_that_is_invalid_faults_when_that_is_not_masked()
    {
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            Load(c, 5, 0);
            c.cvtps2pi(mm0, xmm0);
        });
        FpuRegisters fpu = FpuRegisters.Reset with { Mxcsr = 0x1F00 };
        XmmRegisters xmm = default;
        xmm[0] = 0x7FC0_0000;
        guest.Machine.SetFpuRegisters(fpu with { Xmm = xmm });

        Assert.That(X87Guest.RunToException(guest), Is.EqualTo(19));
        Assert.That((ulong)guest.Machine.GetFpuRegisters().St[0], Is.EqualTo(5));
        Assert.That(guest.Machine.GetFpuRegisters().Mxcsr, Is.EqualTo(0x1F01));
    }

    private static void Load(Assembler c, ulong a, ulong b)
    {
        c.mov(rax, a);
        c.movq(mm0, rax);
        c.mov(rax, b);
        c.movq(mm1, rax);
    }
}
