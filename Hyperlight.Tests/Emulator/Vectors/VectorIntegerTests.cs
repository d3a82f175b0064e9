using System.Globalization;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.Vectors;

/// <summary>Integer instructions on XMM registers, against values worked out from the manuals.</summary>
[TestFixture]
internal sealed class VectorIntegerTests
{
    private static IEnumerable<TestCaseData> Cases =>
    [
        Case("PADDSB saturates", c => c.paddsb(xmm0, xmm1), "7F80017F_80000000_00000000_000000FF", "01FF0180_80000000_00000000_00000001", "7F8002FF_80000000_00000000_00000000"),
        Case("PADDUSW saturates", c => c.paddusw(xmm0, xmm1), "FFFF0001_80008000_00000000_12340000", "00010001_80007FFF_00000000_00010000", "FFFF0002_FFFFFFFF_00000000_12350000"),
        Case("PSUBUSB stops at zero", c => c.psubusb(xmm0, xmm1), "00010203_04050607_08090A0B_FF0D0E0F", "01010101_01010101_01010101_FE010101", "00000102_03040506_0708090A_010C0D0E"),
        Case("PAVGB rounds up", c => c.pavgb(xmm0, xmm1), "FFFF0001_00000000_00000000_00000003", "FFFE0102_00000000_00000000_00000000", "FFFF0102_00000000_00000000_00000002"),
        Case("PAVGW rounds up", c => c.pavgw(xmm0, xmm1), "FFFF0001_00000000_00000000_00010003", "FFFE0002_00000000_00000000_00020000", "FFFF0002_00000000_00000000_00020002"),
        Case("PABSB keeps the lowest number", c => c.pabsb(xmm0, xmm1), "00000000_00000000_00000000_00000000", "80FF017F_00000000_00000000_000000FE", "8001017F_00000000_00000000_00000002"),
        Case("PSIGNW", c => c.psignw(xmm0, xmm1), "80000001_00020003_00000000_00040005", "FFFF8000_00000001_00000000_00010000", "8000FFFF_00000003_00000000_00040000"),
        Case("PMAXUD is unsigned", c => c.pmaxud(xmm0, xmm1), "80000000_00000001_FFFFFFFF_7FFFFFFF", "7FFFFFFF_00000002_00000000_80000000", "80000000_00000002_FFFFFFFF_80000000"),
        Case("PMINSB is signed", c => c.pminsb(xmm0, xmm1), "80010203_00000000_00000000_00000000", "7FFF0303_00000000_00000000_000000FF", "80FF0203_00000000_00000000_000000FF"),
        Case("PCMPGTQ is signed", c => c.pcmpgtq(xmm0, xmm1), "00000000_00000001_80000000_00000000", "FFFFFFFF_FFFFFFFF_7FFFFFFF_FFFFFFFF", "FFFFFFFF_FFFFFFFF_00000000_00000000"),
        Case("PMULHW", c => c.pmulhw(xmm0, xmm1), "80007FFF_00000000_00000000_FFFF0002", "80007FFF_00000000_00000000_00010003", "40003FFF_00000000_00000000_FFFF0000"),
        Case("PMULHRSW", c => c.pmulhrsw(xmm0, xmm1), "80004000_00000000_00000000_00010000", "80004000_00000000_00000000_40000000", "80002000_00000000_00000000_00010000"),
        Case("PMULUDQ takes even elements", c => c.pmuludq(xmm0, xmm1), "11111111_FFFFFFFF_22222222_00000002", "33333333_FFFFFFFF_44444444_00000003", "FFFFFFFE_00000001_00000000_00000006"),
        Case("PMULDQ is signed", c => c.pmuldq(xmm0, xmm1), "11111111_FFFFFFFF_22222222_00000002", "33333333_00000005_44444444_80000000", "FFFFFFFF_FFFFFFFB_FFFFFFFF_00000000"),
        Case("PMADDWD wraps once", c => c.pmaddwd(xmm0, xmm1), "80008000_00010002_00000000_FFFF0001", "80008000_00030004_00000000_00020001", "80000000_0000000B_00000000_FFFFFFFF"),
        Case("PMADDUBSW saturates", c => c.pmaddubsw(xmm0, xmm1), "FFFFFFFF_00000000_00000000_02010000", "7F7F8080_00000000_00000000_FF030000", "7FFF8000_00000000_00000000_00010000"),
        Case("PSADBW", c => c.psadbw(xmm0, xmm1), "FF000000_00000000_00000000_00000102", "00FF0000_00000000_00000000_00000201", "00000000_000001FE_00000000_00000002"),
        Case("PHADDSW saturates", c => c.phaddsw(xmm0, xmm1), "7FFF0001_80008000_00000000_00010002", "00010001_00000000_00000000_FFFF0001", "00020000_00000000_7FFF8000_00000003"),
        Case("PHSUBD", c => c.phsubd(xmm0, xmm1), "00000001_00000005_00000002_00000001", "00000000_00000000_00000003_00000004", "00000000_00000001_00000004_FFFFFFFF"),
        Case("PHMINPOSUW finds the first", c => c.phminposuw(xmm0, xmm1), "00000000_00000000_00000000_00000000", "00050003_00030009_00040008_00070006", "00000000_00000000_00000000_00050003"),
        Case("MPSADBW", c => c.mpsadbw(xmm0, xmm1, 5), "0F0E0D0C_0B0A0908_07060504_03020100", "00000000_00000000_07060504_00000000", "001C0018_00140010_000C0008_00040000"),
        Case("PSRAW by too much", c => c.psraw(xmm0, 200), "80007FFF_00000000_00000000_FFFF0001", "00000000_00000000_00000000_00000000", "FFFF0000_00000000_00000000_FFFF0000"),
        Case("PSLLQ by a count of 64 bits", c => c.psllq(xmm0, xmm1), "80007FFF_00000000_00000000_FFFF0001", "00000000_00000000_00000001_00000001", "00000000_00000000_00000000_00000000"),
        Case("PSRLDQ", c => c.psrldq(xmm0, 3), "0F0E0D0C_0B0A0908_07060504_03020100", "00000000_00000000_00000000_00000000", "0000000F_0E0D0C0B_0A090807_06050403"),
        Case("PACKUSWB", c => c.packuswb(xmm0, xmm1), "7FFF0100_00FF00FE_0001FFFF_80000000", "00000000_00000000_00000000_00800081", "00000000_00008081_FFFFFFFE_01000000"),
        Case("PACKUSDW", c => c.packusdw(xmm0, xmm1), "80000000_0000FFFF_00010000_00000001", "00000000_00000000_7FFFFFFF_FFFFFFFF", "00000000_FFFF0000_0000FFFF_FFFF0001"),
        Case("PUNPCKHBW", c => c.punpckhbw(xmm0, xmm1), "0F0E0D0C_0B0A0908_00000000_00000000", "1F1E1D1C_1B1A1918_00000000_00000000", "1F0F1E0E_1D0D1C0C_1B0B1A0A_19091808"),
        Case("PSHUFB", c => c.pshufb(xmm0, xmm1), "0F0E0D0C_0B0A0908_07060504_03020100", "80FF7F70_0F000102_03040506_0708090A", "00000F00_0F000102_03040506_0708090A"),
        Case("PSHUFLW", c => c.pshuflw(xmm0, xmm1, 0x1B), "00000000_00000000_00000000_00000000", "88887777_66665555_44443333_22221111", "88887777_66665555_11112222_33334444"),
        Case("SHUFPS", c => c.shufps(xmm0, xmm1, 0xE4), "33333333_22222222_11111111_00000000", "77777777_66666666_55555555_44444444", "77777777_66666666_11111111_00000000"),
        Case("PALIGNR across both", c => c.palignr(xmm0, xmm1, 20), "1F1E1D1C_1B1A1918_17161514_13121110", "0F0E0D0C_0B0A0908_07060504_03020100", "00000000_1F1E1D1C_1B1A1918_17161514"),
        Case("PBLENDW", c => c.pblendw(xmm0, xmm1, 0x81), "00000000_00000000_00000000_00000000", "88887777_66665555_44443333_22221111", "88880000_00000000_00000000_00001111"),
        Case("PMOVSXBQ", c => c.pmovsxbq(xmm0, xmm1), "00000000_00000000_00000000_00000000", "00000000_00000000_00000000_00007F80", "00000000_0000007F_FFFFFFFF_FFFFFF80"),
        Case("PMOVZXWD", c => c.pmovzxwd(xmm0, xmm1), "00000000_00000000_00000000_00000000", "00000000_00000000_FFFF8000_7FFF0001", "0000FFFF_00008000_00007FFF_00000001"),
        Case("INSERTPS", c => c.insertps(xmm0, xmm1, 0x99), "33333333_22222222_11111111_00000000", "77777777_66666666_55555555_44444444", "00000000_22222222_66666666_00000000"),
        Case("MOVSHDUP", c => c.movshdup(xmm0, xmm1), "00000000_00000000_00000000_00000000", "77777777_66666666_55555555_44444444", "77777777_77777777_55555555_55555555"),
        Case("MOVSS between registers keeps the rest", c => c.movss(xmm0, xmm1), "33333333_22222222_11111111_00000000", "77777777_66666666_55555555_44444444", "33333333_22222222_11111111_44444444"),
        Case("MOVQ between registers clears the rest", c => c.movq(xmm0, xmm1), "33333333_22222222_11111111_00000000", "77777777_66666666_55555555_44444444", "00000000_00000000_55555555_44444444"),
        Case("PANDN complements the destination", c => c.pandn(xmm0, xmm1), "FFFF0000_FF00FF00_00000000_0F0F0F0F", "FFFFFFFF_F0F0F0F0_12345678_FFFFFFFF", "0000FFFF_00F000F0_12345678_F0F0F0F0"),
    ];

    [TestCaseSource(nameof(Cases))]
    public void An_instruction_computes(Action<Assembler> code, string a, string b, string expected)
    {
        using var guest = new VectorGuest(code);
        guest[0] = Parse(a);
        guest[1] = Parse(b);

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(Format(guest[0]), Is.EqualTo(expected));
        Assert.That(Format(guest[1]), Is.EqualTo(b));
        Assert.That(guest.Mxcsr, Is.EqualTo(VectorGuest.MaskedMxcsr));
    }

    [TestCase("00000000_00000000_00000000_000000F0", "00000000_00000000_00000000_0000000F", 0x40UL)]
    [TestCase("00000000_00000000_00000000_000000FF", "00000000_00000000_00000000_0000000F", 0x1UL)]
    [TestCase("00000000_00000000_00000000_000000F1", "00000000_00000000_00000000_0000000F", 0UL)]
    [TestCase("00000000_00000000_00000000_000000FF", "00000000_00000000_00000000_00000000", 0x41UL)]
    public void PTEST_sets_ZF_for_disjoint_and_CF_for_covered_operands(string a, string b, ulong flags)
    {
        using var guest = new VectorGuest(c => { c.or(eax, -1); c.ptest(xmm0, xmm1); });
        guest[0] = Parse(a);
        guest[1] = Parse(b);

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest.General.Rflags & 0x8D5, Is.EqualTo(flags));
    }

    [Test]
    public void Elements_are_extracted_into_the_whole_register()
    {
        using var guest = new VectorGuest(c =>
        {
            c.mov(rax, -1L);
            c.mov(rcx, rax);
            c.mov(rdx, rax);
            c.mov(rbx, rax);
            c.pextrb(eax, xmm0, 0x1F);
            c.pextrw(ecx, xmm0, 1);
            c.pmovmskb(edx, xmm0);
            c.movd(ebx, xmm0);
            c.pextrq(rsi, xmm0, 1);
            c.movmskps(edi, xmm0);
        });
        guest[0] = Parse("8F0E0D0C_0B0A0908_87060504_03020180");

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest.General.Rax, Is.EqualTo(0x8F));
        Assert.That(guest.General.Rcx, Is.EqualTo(0x0302));
        Assert.That(guest.General.Rdx, Is.EqualTo(0x8081));
        Assert.That(guest.General.Rbx, Is.EqualTo(0x0302_0180));
        Assert.That(guest.General.Rsi, Is.EqualTo(0x8F0E_0D0C_0B0A_0908));
        Assert.That(guest.General.Rdi, Is.EqualTo(0b1010));
    }

    [Test]
    public void A_blend_takes_its_mask_from_XMM0()
    {
        using var guest = new VectorGuest(c => c.blendvps(xmm2, xmm1));
        guest[0] = Parse("80000000_7FFFFFFF_FFFFFFFF_00000000");
        guest[1] = Parse("11111111_11111111_11111111_11111111");
        guest[2] = Parse("22222222_22222222_22222222_22222222");

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(Format(guest[2]), Is.EqualTo("11111111_22222222_11111111_22222222"));
    }

    internal static UInt128 Parse(string text) =>
        UInt128.Parse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    internal static string Format(UInt128 value) =>
        $"{(uint)(value >> 96):X8}_{(uint)(value >> 64):X8}_{(uint)(value >> 32):X8}_{(uint)value:X8}";

    private static TestCaseData Case(string name, Action<Assembler> code, string a, string b, string expected) =>
        new TestCaseData(code, a, b, expected).SetName(name);
}
