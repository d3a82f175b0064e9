using Hyperlight.Tests.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.Vectors;

/// <summary>Exceptions of SSE: unmasked ones of arithmetic, those that the control registers ask for, and MXCSR itself.</summary>
[TestFixture]
internal sealed class VectorExceptionTests
{
    private const int InvalidOpcode = 6;
    private const int DeviceNotAvailable = 7;
    private const int GeneralProtection = 13;
    private const int SimdException = 19;
    private const uint Invalid = 1;
    private const uint DivideByZero = 4;
    private const uint Overflow = 8;
    private const uint Underflow = 16;
    private const uint Precision = 32;
    private const int MaskShift = 7;
    private const ulong Emulation = 1 << 2;
    private const ulong TaskSwitched = 1 << 3;
    private const ulong FxsaveRestore = 1 << 9;
    private const ulong SimdExceptions = 1 << 10;

    [TestCase(Precision, "3F800000_3F800000_3F800000_3F800000", "3F800000_3F800000_3F800000_40400000", Precision)]
    [TestCase(DivideByZero, "3F800000_3F800000_3F800000_3F800000", "3F800000_3F800000_00000000_40400000", DivideByZero)]
    [TestCase(Invalid, "3F800000_00000000_3F800000_3F800000", "00000000_00000000_3F800000_40400000", Invalid | DivideByZero)]
    [TestCase(Underflow, "00800000_3F800000_3F800000_3F800000", "40000000_3F800000_3F800000_3F800000", Underflow)]
    [TestCase(Overflow, "7F000000_3F800000_3F800000_3F800000", "3E800000_3F800000_3F800000_3F800000", Overflow)]
    public void An_unmasked_exception_leaves_the_destination_and_sets_its_flag(
        uint unmasked, string a, string b, uint flags)
    {
        using var guest = new VectorGuest(c => c.divps(xmm0, xmm1));
        guest[0] = VectorIntegerTests.Parse(a);
        guest[1] = VectorIntegerTests.Parse(b);
        guest.Mxcsr = VectorGuest.MaskedMxcsr & ~(unmasked << MaskShift);

        Assert.That(guest.Run(), Is.EqualTo(SimdException));
        Assert.That(VectorIntegerTests.Format(guest[0]), Is.EqualTo(a));
        Assert.That(guest.Mxcsr & 0x3F, Is.EqualTo(flags));
    }

    [Test]
    public void A_flag_that_is_set_already_raises_nothing()
    {
        using var guest = new VectorGuest(c => c.divss(xmm0, xmm1));
        guest[0] = guest[1] = 0x3F80_0000;
        guest.Mxcsr = Invalid | Overflow;

        Assert.That(guest.Run(), Is.EqualTo(-1));
    }

    [Test]
    public void A_comparison_that_raises_leaves_the_flags()
    {
        using var guest = new VectorGuest(c => { c.xor(eax, eax); c.comisd(xmm0, xmm1); });
        guest[0] = 0x7FF8_0000_0000_0000;
        guest.Mxcsr = 0;

        Assert.That(guest.Run(), Is.EqualTo(SimdException));
        Assert.That(guest.General.Rflags & 0x8D5, Is.EqualTo(0x44));
    }

    [Test]
    public void Without_OSXMMEXCPT_it_is_an_invalid_opcode()
    {
        using var guest = new VectorGuest(c => c.divss(xmm0, xmm1));
        guest[0] = 0x3F80_0000;
        guest.Mxcsr = 0;
        guest.Special = guest.Special with { Cr4 = guest.Special.Cr4 & ~SimdExceptions };

        Assert.That(guest.Run(), Is.EqualTo(InvalidOpcode));
    }

    [TestCase(Emulation, 0UL, InvalidOpcode)]
    [TestCase(Emulation | TaskSwitched, 0UL, InvalidOpcode)]
    [TestCase(TaskSwitched, 0UL, DeviceNotAvailable)]
    [TestCase(TaskSwitched, FxsaveRestore, InvalidOpcode)]
    [TestCase(0UL, FxsaveRestore, InvalidOpcode)]
    public void Control_registers_forbid_XMM_registers(ulong cr0, ulong withoutCr4, int vector)
    {
        using var guest = new VectorGuest(c => c.pxor(xmm0, xmm0));
        guest[0] = 1;
        guest.Special = guest.Special with { Cr0 = guest.Special.Cr0 | cr0, Cr4 = guest.Special.Cr4 & ~withoutCr4 };

        Assert.That(guest.Run(), Is.EqualTo(vector));
        Assert.That(guest[0], Is.EqualTo(UInt128.One));
    }

    [Test]
    public void Instructions_without_XMM_registers_do_not_care()
    {
        using var guest = new VectorGuest(c =>
        {
            c.mov(ebx, (uint)LongModeGuest.DataAddress);
            c.movnti(__[rbx], rsp);
            c.crc32(eax, cl);
            c.popcnt(eax, eax);
            c.movbe(eax, __[rbx]);
            c.sfence();
            c.clflush(__[rbx]);
            c.prefetchnta(__[rbx]);
        });
        guest.Special = guest.Special with
        {
            Cr0 = guest.Special.Cr0 | Emulation | TaskSwitched,
            Cr4 = guest.Special.Cr4 & ~FxsaveRestore,
        };

        Assert.That(guest.Run(), Is.EqualTo(-1));
    }

    [TestCase(0xFFBFu, -1)]
    [TestCase(0x1_1F80u, GeneralProtection)]
    public void MXCSR_is_loaded_unless_a_reserved_bit_is_set(uint value, int vector)
    {
        using var guest = new VectorGuest(c =>
        {
            c.mov(ebx, (uint)LongModeGuest.DataAddress + 1);
            c.mov(__dword_ptr[rbx], value);
            c.ldmxcsr(__[rbx]);
            c.stmxcsr(__[rbx + 8]);
            c.mov(eax, __[rbx + 8]);
        });

        Assert.That(guest.Run(), Is.EqualTo(vector));
        Assert.That(guest.Mxcsr, Is.EqualTo(vector < 0 ? value : VectorGuest.MaskedMxcsr));
    }

    /// <summary>VADDPS, a 3DNow! instruction, LOCK PADDB and an encoding that means nothing.</summary>
    [TestCase("C5F058C1")]
    [TestCase("0F0FC19E")]
    [TestCase("F0660FFC03")]
    [TestCase("660F38FFC1")]
    public void Unsupported_instructions_are_invalid_opcodes(string code)
    {
        using var guest = new VectorGuest(c => c.db(Convert.FromHexString(code)));

        Assert.That(guest.Run(), Is.EqualTo(InvalidOpcode));
    }

    [Test]
    public void Cpuid_reports_the_supported_sets()
    {
        using var guest = new VectorGuest(c => { c.mov(eax, 1); c.cpuid(); });

        Assert.That(guest.Run(), Is.EqualTo(-1));

        // SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, MOVBE and POPCNT; CLFSH, SSE and SSE2.
        Assert.That(guest.General.Rcx & 0x00D8_2201, Is.EqualTo(0x00D8_2201));
        Assert.That(guest.General.Rdx & 0x0608_0000, Is.EqualTo(0x0608_0000));
    }

    /// <summary>The host sees XMM registers in the FXSAVE image, and what it sets there is what instructions read.</summary>
    [Test]
    public void FXSAVE_and_FXRSTOR_take_XMM_registers_along()
    {
        using var guest = new VectorGuest(c =>
        {
            c.mov(ebx, (uint)LongModeGuest.DataAddress);
            c.fxsave64(__[rbx]);
            c.paddd(xmm0, xmm1);
            c.movaps(xmm15, xmm0);
            c.movaps(xmm1, __[rbx + 160]);
            c.fxrstor64(__[rbx]);
            c.movaps(xmm2, xmm0);
        });
        guest[0] = 5;
        guest[1] = 6;

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That((guest[0], guest[1], guest[2], guest[15]), Is.EqualTo(((UInt128)5, (UInt128)6, (UInt128)5, UInt128.Zero)));
    }
}
