using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>FXSAVE, FXRSTOR and the XSAVE family in a guest.</summary>
[TestFixture]
internal sealed class XsaveTests
{
    private const ulong Area = LongModeGuest.DataAddress;
    private const int Header = 512;
    private const uint InvalidOpcode = 6;
    private const uint GeneralProtection = 13;
    private const ulong Cr4WithoutXsave = 0x620;
    private static readonly UInt128 Pi = new(0x4000, 0xC90F_DAA2_2168_C235);

    [Test]
    public void The_legacy_area_has_the_state_at_its_places()
    {
        using LongModeGuest guest = X87Guest.Create(c => { c.fldpi(); c.fld1(); c.fxsave64(__[Area]); });
        XmmRegisters xmm = default;
        xmm[15] = new UInt128(1, 2);
        guest.Machine.SetFpuRegisters(FpuRegisters.Reset with { Xmm = xmm });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Span<byte> area = guest.Memory.GetSpan((nuint)Area, 512);
        Assert.That(BinaryPrimitives.ReadUInt16LittleEndian(area), Is.EqualTo(0x37F));
        Assert.That(BinaryPrimitives.ReadUInt16LittleEndian(area[2..]), Is.EqualTo(6 << 11));
        Assert.That(area[4], Is.EqualTo(0xC0));
        Assert.That(BinaryPrimitives.ReadUInt16LittleEndian(area[6..]), Is.EqualTo(0x1E8));
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(area[8..]), Is.EqualTo(LongModeGuest.CodeAddress + 4));
        Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(area[24..]), Is.EqualTo(0x1F80));
        Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(area[28..]), Is.EqualTo(0xFFFF));
        Assert.That(BinaryPrimitives.ReadUInt128LittleEndian(area[48..]), Is.EqualTo(Pi));
        Assert.That(BinaryPrimitives.ReadUInt128LittleEndian(area[(160 + 240)..]), Is.EqualTo(new UInt128(1, 2)));
    }

    [Test]
    public void The_narrow_form_cuts_addresses_to_32_bits()
    {
        using LongModeGuest guest = X87Guest.Create(c => { c.fxrstor64(__[Area]); c.fxsave(__[Area + 512]); });
        Span<byte> area = guest.Memory.GetSpan((nuint)Area, 1024);
        BinaryPrimitives.WriteUInt16LittleEndian(area, 0x37F);
        BinaryPrimitives.WriteUInt64LittleEndian(area[8..], 0x1234_5678_9ABC_DEF0);

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(guest.Machine.GetFpuRegisters().LastInstruction, Is.EqualTo(0x1234_5678_9ABC_DEF0));
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(area[(512 + 8)..]), Is.EqualTo(0x9ABC_DEF0));
    }

    [Test]
    public void Only_requested_components_are_written()
    {
        using LongModeGuest guest = X87Guest.Create(c => { Enable(c, 3); c.fldpi(); Request(c, 2); c.xsave(__[Area]); });
        guest.Memory.GetSpan((nuint)Area, 576).Fill(0xEE);
        guest.Memory.GetSpan((nuint)Area + Header, 8).Clear();

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        byte[] area = guest.Memory.GetSpan((nuint)Area, 576).ToArray();
        Assert.That(area[..24], Is.All.EqualTo(0xEE));
        Assert.That(area[32..160], Is.All.EqualTo(0xEE));
        Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(area.AsSpan(24)), Is.EqualTo(0x1F80));
        Assert.That(area[160..416], Is.All.Zero);
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(area.AsSpan(Header)), Is.Zero, "XMM registers are initial");
        Assert.That(area[(Header + 8)..], Is.All.EqualTo(0xEE));
    }

    [Test]
    public void The_optimized_form_leaves_out_what_is_initial()
    {
        using LongModeGuest guest = X87Guest.Create(c => { Enable(c, 3); c.fldpi(); Request(c, 3); c.xsaveopt(__[Area]); });
        guest.Memory.GetSpan((nuint)Area, 512).Fill(0xEE);

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        byte[] area = guest.Memory.GetSpan((nuint)Area, 576).ToArray();
        Assert.That(BinaryPrimitives.ReadUInt128LittleEndian(area.AsSpan(32)), Is.EqualTo(Pi));
        Assert.That(area[160..416], Is.All.EqualTo(0xEE));
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(area.AsSpan(Header)), Is.EqualTo(1));
    }

    [Test]
    public void The_compacted_form_says_so_and_can_be_restored()
    {
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            Enable(c, 3);
            c.fldpi();
            Request(c, 3);
            c.xsavec(__[Area]);
            c.fninit();
            Request(c, 3);
            c.xrstor(__[Area]);
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Span<byte> header = guest.Memory.GetSpan((nuint)Area + Header, 64);
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(header), Is.EqualTo(1));
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(header[8..]), Is.EqualTo((1UL << 63) | 3));
        Assert.That(guest.Machine.GetFpuRegisters().St[0], Is.EqualTo(Pi));
    }

    [Test]
    public void A_component_that_the_area_has_not_is_reset()
    {
        using LongModeGuest guest = X87Guest.Create(c => { Enable(c, 3); c.fldpi(); Request(c, 3); c.xrstor(__[Area]); });
        XmmRegisters xmm = default;
        xmm[3] = 5;
        guest.Machine.SetFpuRegisters(FpuRegisters.Reset with { Xmm = xmm });
        BinaryPrimitives.WriteUInt32LittleEndian(guest.Memory.GetSpan((nuint)Area + 24, 4), 0x1FC0);

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(
            guest.Machine.GetFpuRegisters(), Is.EqualTo(FpuRegisters.Reset with { Mxcsr = 0x1FC0 }),
            "the standard form always loads MXCSR");
    }

    [TestCase(Header, 4)]
    [TestCase(Header + 8, 1)]
    [TestCase(Header + 16, 1)]
    [TestCase(26, 1)]
    public void An_area_that_is_invalid_is_refused(int offset, byte value)
    {
        using LongModeGuest guest = X87Guest.Create(c => { Enable(c, 3); c.fldpi(); Request(c, 3); c.xrstor(__[Area]); });
        guest.Memory.GetSpan((nuint)Area + (nuint)offset, 1)[0] = value;

        Assert.That(X87Guest.RunToException(guest), Is.EqualTo(GeneralProtection));
        Assert.That(guest.Machine.GetFpuRegisters().St[0], Is.EqualTo(Pi));
    }

    private static IEnumerable<TestCaseData> Misaligned()
    {
        yield return Case("xsave", c => c.xsave(__[Area + 32]));
        yield return Case("xrstor", c => c.xrstor(__[Area + 32]));
        yield return Case("fxsave", c => c.fxsave(__[Area + 8]));
        yield return Case("fxrstor", c => c.fxrstor(__[Area + 8]));

        static TestCaseData Case(string name, Action<Assembler> code) => new TestCaseData(code).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Misaligned))]
    public void An_area_that_is_not_aligned_is_refused(Action<Assembler> code)
    {
        using LongModeGuest guest = X87Guest.Create(code);

        Assert.That(X87Guest.RunToException(guest), Is.EqualTo(GeneralProtection));
    }

    [TestCase(0UL)]
    [TestCase(2UL)]
    [TestCase(7UL)]
    public void Components_that_do_not_exist_cannot_be_enabled(ulong components)
    {
        using LongModeGuest guest = X87Guest.Create(c => Enable(c, (uint)components));

        Assert.That(X87Guest.RunToException(guest), Is.EqualTo(GeneralProtection));
    }

    [Test]
    public void The_enabled_components_can_be_read()
    {
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            Enable(c, 3);
            c.fld1();
            c.xor(ecx, ecx);
            c.xgetbv();
            c.mov(ebx, eax);
            c.inc(ecx);
            c.xgetbv();
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(3));
        Assert.That(guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(1));
    }

    [Test]
    public void Without_the_control_bit_the_instructions_do_not_exist()
    {
        using LongModeGuest guest = X87Guest.Create(c => c.xsave(__[Area]), cr4: Cr4WithoutXsave);

        Assert.That(X87Guest.RunToException(guest), Is.EqualTo(InvalidOpcode));
    }

    [TestCase(0x4_0620UL, true)]
    [TestCase(Cr4WithoutXsave, false)]
    public void Cpuid_reports_xsave_and_whether_it_is_enabled(ulong cr4, bool isEnabled)
    {
        using LongModeGuest guest = X87Guest.Create(
            c =>
            {
                c.mov(eax, 1);
                c.cpuid();
                c.mov(esi, ecx);
                c.mov(edi, edx);
                c.mov(eax, 0xD);
                c.xor(ecx, ecx);
                c.cpuid();
            },
            cr4: cr4);

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        GeneralRegisters registers = guest.Machine.GetGeneralRegisters();
        Assert.That(registers.Rsi >> 26 & 1, Is.EqualTo(1));
        Assert.That(registers.Rsi >> 27 & 1, Is.EqualTo(isEnabled ? 1 : 0));
        Assert.That(registers.Rdi & 0x0180_0001, Is.EqualTo(0x0180_0001));
        Assert.That(registers.Rax, Is.EqualTo(3));
        Assert.That(registers.Rbx, Is.EqualTo(576));
        Assert.That(registers.Rcx, Is.EqualTo(576));
    }

    private static void Enable(Assembler c, uint components)
    {
        c.xor(ecx, ecx);
        Request(c, components);
        c.xsetbv();
    }

    private static void Request(Assembler c, uint components)
    {
        c.mov(eax, components);
        c.xor(edx, edx);
    }
}
