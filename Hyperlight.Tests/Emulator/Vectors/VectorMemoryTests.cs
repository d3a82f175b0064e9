using System.Buffers.Binary;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.Vectors;

/// <summary>Operands in memory: alignment, page borders, and accesses that fault half-way.</summary>
[TestFixture]
internal sealed class VectorMemoryTests
{
    private const int GeneralProtection = 13;
    private const int PageFault = 14;

    /// <summary>A second large page, which tests map over the last small page of the first one.</summary>
    private const ulong SecondPage = 0x20_0000;
    private const int PageDirectory = 0x3000;
    private const int PageTable = 0x4000;
    private static readonly UInt128 Pattern = VectorIntegerTests.Parse("0F0E0D0C_0B0A0908_07060504_03020100");

    private static IEnumerable<TestCaseData> AlignedForms =>
    [
        Form("MOVAPS load", c => c.movaps(xmm0, __[rbx])),
        Form("MOVDQA store", c => c.movdqa(__[rbx], xmm0)),
        Form("MOVNTDQ", c => c.movntdq(__[rbx], xmm0)),
        Form("MOVNTDQA", c => c.movntdqa(xmm0, __[rbx])),
        Form("PADDB", c => c.paddb(xmm0, __[rbx])),
        Form("ADDPD", c => c.addpd(xmm0, __[rbx])),
        Form("PSHUFD", c => c.pshufd(xmm0, __[rbx], 0)),
        Form("PSLLW", c => c.psllw(xmm0, __[rbx])),
        Form("CVTPD2PS", c => c.cvtpd2ps(xmm0, __[rbx])),
        Form("PTEST", c => c.ptest(xmm0, __[rbx])),
    ];

    private static IEnumerable<TestCaseData> UnalignedForms =>
    [
        Form("MOVUPD load", c => c.movupd(xmm0, __[rbx])),
        Form("MOVDQU store", c => c.movdqu(__[rbx], xmm0)),
        Form("LDDQU", c => c.lddqu(xmm0, __[rbx])),
        Form("PCMPISTRI", c => c.pcmpistri(xmm0, __[rbx], 0)),
        Form("MOVHPS", c => c.movhps(xmm0, __[rbx])),
        Form("ADDSD", c => c.addsd(xmm0, __[rbx])),
        Form("CVTPS2PD", c => c.cvtps2pd(xmm0, __[rbx])),
        Form("PMOVZXBW", c => c.pmovzxbw(xmm0, __[rbx])),
        Form("MOVDDUP", c => c.movddup(xmm0, __[rbx])),
    ];

    [TestCaseSource(nameof(AlignedForms))]
    public void An_operand_must_be_aligned(Action<Assembler> code)
    {
        using VectorGuest guest = At(LongModeGuest.DataAddress + 8, code);

        Assert.That(guest.Run(), Is.EqualTo(GeneralProtection));
        Assert.That(guest[0], Is.EqualTo(Pattern));
    }

    [TestCaseSource(nameof(UnalignedForms))]
    public void An_operand_need_not_be_aligned(Action<Assembler> code)
    {
        using VectorGuest guest = At(LongModeGuest.DataAddress + 0x1000 - 3, code);

        Assert.That(guest.Run(), Is.EqualTo(-1));
    }

    [Test]
    public void A_vector_crosses_pages()
    {
        ulong address = LongModeGuest.DataAddress + 0x1000 - 5;
        using VectorGuest guest = At(address, c =>
        {
            c.movups(__[rbx], xmm0);
            c.movups(xmm1, __[rbx]);
        });

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest[1], Is.EqualTo(Pattern));
        Assert.That(
            BinaryPrimitives.ReadUInt128LittleEndian(guest.Memory.GetSpan((nuint)address, 16)), Is.EqualTo(Pattern));
    }

    [TestCase(0UL)]
    [TestCase(1UL)]
    public void A_store_that_faults_in_its_second_page_writes_nothing(ulong secondEntry)
    {
        // Where it is present, the second page is read-only.
        using VectorGuest guest = At(SecondPage - 5, c => c.movups(__[rbx], xmm0));
        MapBeforeSecondPage(guest, secondEntry);

        Assert.That(guest.Run(), Is.EqualTo(PageFault));
        Assert.That(
            guest.Memory.GetSpan((nuint)LongModeGuest.DataAddress + 0x1000 - 5, 5).IndexOfAnyExcept((byte)0), Is.EqualTo(-1));
    }

    [Test]
    public void A_load_that_faults_in_its_second_page_changes_nothing()
    {
        using VectorGuest guest = At(SecondPage - 5, c => c.movups(xmm0, __[rbx]));
        MapBeforeSecondPage(guest, 0);

        Assert.That(guest.Run(), Is.EqualTo(PageFault));
        Assert.That(guest[0], Is.EqualTo(Pattern));
    }

    [Test]
    public void A_masked_store_does_not_touch_what_is_not_selected()
    {
        using VectorGuest guest = At(0, c => c.maskmovdqu(xmm0, xmm1));
        guest.General = guest.General with { Rdi = SecondPage - 8 };
        guest[1] = VectorIntegerTests.Parse("00000000_00000000_80FF7F00_00000080");
        MapBeforeSecondPage(guest, 0);

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(
            BinaryPrimitives.ReadUInt64LittleEndian(guest.Memory.GetSpan((nuint)LongModeGuest.DataAddress + 0x1000 - 8, 8)),
            Is.EqualTo(0x0706_0000_0000_0000));
    }

    [Test]
    public void A_masked_store_that_faults_writes_nothing()
    {
        using VectorGuest guest = At(0, c => c.maskmovdqu(xmm0, xmm1));
        guest.General = guest.General with { Rdi = SecondPage - 8 };
        guest[1] = UInt128.MaxValue;
        MapBeforeSecondPage(guest, 0);

        Assert.That(guest.Run(), Is.EqualTo(PageFault));
        Assert.That(
            guest.Memory.GetSpan((nuint)LongModeGuest.DataAddress + 0x1000 - 8, 8).IndexOfAnyExcept((byte)0), Is.EqualTo(-1));
    }

    [Test]
    public void A_masked_store_takes_its_segment_and_address_size()
    {
        using VectorGuest guest = At(0, c =>
        {
            c.mov(ecx, unchecked((int)0xC000_0100));
            c.mov(eax, 0x100);
            c.xor(edx, edx);
            c.wrmsr();

            // fs maskmovdqu with the address-size prefix.
            c.db(0x64, 0x67, 0x66, 0x0F, 0xF7, 0xC1);
        });
        guest.General = guest.General with { Rdi = LongModeGuest.DataAddress | (1UL << 40) };
        guest[1] = UInt128.MaxValue;

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(
            BinaryPrimitives.ReadUInt128LittleEndian(guest.Memory.GetSpan((nuint)LongModeGuest.DataAddress + 0x100, 16)),
            Is.EqualTo(Pattern));
    }

    [Test]
    public void An_instruction_that_a_vector_store_writes_is_executed()
    {
        // The nops behind the store become mov al, 42.
        using var guest = new VectorGuest(c =>
        {
            c.xor(eax, eax);
            c.mov(ebx, (uint)LongModeGuest.CodeAddress + 10);
            c.movups(__[rbx], xmm0);
            for (int i = 0; i < 18; i++)
            {
                c.nop();
            }
        });
        guest[0] = VectorIntegerTests.Parse("90909090_90909090_90909090_90902AB0");

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest.General.Rax, Is.EqualTo(42));
    }

    private static VectorGuest At(ulong address, Action<Assembler> code)
    {
        var guest = new VectorGuest(code);
        guest.General = guest.General with { Rbx = address };
        guest[0] = Pattern;
        return guest;
    }

    /// <summary>Maps a page of data before <see cref="SecondPage"/>, and that page itself by a directory entry of the test's.</summary>
    private static void MapBeforeSecondPage(VectorGuest guest, ulong secondEntry)
    {
        const ulong presentWritable = 3;
        const ulong large = 0x80;
        for (ulong i = 0; i < 512; i++)
        {
            ulong frame = i == 511 ? LongModeGuest.DataAddress : i << 12;
            BinaryPrimitives.WriteUInt64LittleEndian(
                guest.Memory.GetSpan((nuint)(PageTable + (8 * i)), 8), frame | presentWritable);
        }

        BinaryPrimitives.WriteUInt64LittleEndian(guest.Memory.GetSpan(PageDirectory, 8), PageTable | presentWritable);
        BinaryPrimitives.WriteUInt64LittleEndian(
            guest.Memory.GetSpan(PageDirectory + 8, 8), secondEntry == 0 ? 0 : large | secondEntry);
    }

    private static TestCaseData Form(string name, Action<Assembler> code) => new TestCaseData(code).SetArgDisplayNames(name);
}
