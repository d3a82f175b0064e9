using System.Buffers.Binary;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>
/// The comparison itself, with results as processors of each vendor give them: what a vendor does differently is accepted of
/// that vendor alone, and nothing else is.
/// </summary>
[TestFixture]
internal sealed class VendorDifferenceTests
{
    private const ulong Upper = 0xABCD_0000_0000_0000;
    private const uint NaN1 = 0x7FC0_0001;
    private const uint NaN2 = 0xFFC0_0002;
    private const uint SignallingNaN = 0x7F80_0003;
    private const uint Number = 0x3F80_0000;

    [TestCase(CpuState.Rcx, 0UL, ProcessorVendor.Intel, true)]
    [TestCase(CpuState.Rcx, 0UL, ProcessorVendor.Other, true)]
    [TestCase(CpuState.Rcx, 0UL, ProcessorVendor.Amd, false)]
    [TestCase(CpuState.Rsi, 0UL, ProcessorVendor.Intel, true)]
    [TestCase(CpuState.Rdi, 0UL, ProcessorVendor.Intel, true)]
    [TestCase(CpuState.Rsi, 1UL, ProcessorVendor.Intel, false)]
    [TestCase(CpuState.Rdx, 0UL, ProcessorVendor.Intel, false)]
    public void A_string_without_elements_may_clear_upper_halves(int register, ulong low, ProcessorVendor vendor, bool accepted)
    {
        CpuState input = default;
        input.General[register] = Upper;
        CpuState processor = input;
        processor.General[register] = low;

        Assert.That(IsAccepted("67F3A4", vendor, in input, in processor, in input), Is.EqualTo(accepted));
    }

    [TestCase("F3A4", 0UL)]
    [TestCase("67A4", 0UL)]
    [TestCase("67F3A4", 1UL)]
    public void Differences_of_other_strings_are_not_accepted(string code, ulong count)
    {
        CpuState input = default;
        input.General[CpuState.Rcx] = Upper | count;
        CpuState processor = input;
        processor.General[CpuState.Rcx] = count;

        Assert.That(IsAccepted(code, ProcessorVendor.Intel, in input, in processor, in input), Is.False);
    }

    [TestCase(NaN2, ProcessorVendor.Intel, true)]
    [TestCase(SignallingNaN | 0x40_0000u, ProcessorVendor.Intel, true)]
    [TestCase(0xFFC0_0000u, ProcessorVendor.Intel, true)]
    [TestCase(NaN2, ProcessorVendor.Amd, false)]
    [TestCase(SignallingNaN, ProcessorVendor.Intel, false)]
    [TestCase(0x7FC0_0009u, ProcessorVendor.Intel, false)]
    [TestCase(Number, ProcessorVendor.Intel, false)]
    public void A_lane_of_a_dot_product_may_have_another_NaN_of_the_operands(uint lane, ProcessorVendor vendor, bool accepted)
    {
        CpuState input = default;
        Set(ref input, 0, NaN1, Number, NaN2, Number);
        Set(ref input, 1, Number, SignallingNaN, Number, Number);
        CpuState emulator = input;
        Set(ref emulator, 0, NaN1, NaN1, NaN1, NaN1);
        CpuState processor = input;
        Set(ref processor, 0, NaN1, NaN1, lane, NaN1);

        // dpps xmm0,xmm1,0FFh
        Assert.That(IsAccepted("660F3A40C1FF", vendor, in input, in processor, in emulator), Is.EqualTo(accepted));
    }

    [Test]
    public void A_dot_product_has_no_NaN_where_the_machine_has_a_number()
    {
        CpuState input = default;
        Set(ref input, 0, NaN1, Number, NaN2, Number);
        CpuState emulator = input;
        Set(ref emulator, 0, NaN1, 0, 0, 0);
        CpuState processor = input;
        Set(ref processor, 0, NaN1, NaN2, 0, 0);

        Assert.That(IsAccepted("660F3A40C1F1", ProcessorVendor.Intel, in input, in processor, in emulator), Is.False);
    }

    /// <summary>cmpxchg edx,ecx: the manuals of both vendors define both registers.</summary>
    [Test]
    public void The_destination_of_a_failed_cmpxchg_is_defined([Values] ProcessorVendor vendor)
    {
        CpuState input = default;
        input.General[CpuState.Rdx] = Upper | 5;
        CpuState cleared = input;
        cleared.General[CpuState.Rdx] = 5;

        Assert.That(IsAccepted("0FB1CA", vendor, in input, in input, in cleared), Is.False);
    }

    [TestCase(ProcessorVendor.Amd, false)]
    [TestCase(ProcessorVendor.Intel, true)]
    public void A_scan_of_zero_leaves_its_destination_undefined_on_one_vendor(ProcessorVendor vendor, bool accepted)
    {
        CpuState input = default;
        input.General[CpuState.Rax] = Upper;
        input.Flags = UndefinedResults.Zero;
        CpuState processor = input;
        processor.General[CpuState.Rax] = 0;

        Assert.That(IsAccepted("0FBCC1", vendor, in input, in processor, in input), Is.EqualTo(accepted));
        processor.Flags = 0;
        CpuState emulator = input;
        emulator.Flags = 0;
        Assert.That(IsAccepted("0FBCC1", vendor, in input, in processor, in emulator), Is.False, "a bit was found");
    }

    [TestCase(0x200, ProcessorVendor.Amd, true)]
    [TestCase(0x200, ProcessorVendor.Intel, false)]
    [TestCase(0x100, ProcessorVendor.Amd, false)]
    public void Comparisons_to_flags_may_leave_C1(int status, ProcessorVendor vendor, bool accepted)
    {
        CpuState input = default;
        input.StatusWord = (ushort)status;
        CpuState emulator = default;

        Assert.That(IsAccepted("DBF1", vendor, in input, in input, in emulator), Is.EqualTo(accepted));
    }

    [TestCase(ProcessorVendor.Amd, true, 3UL, true)]
    [TestCase(ProcessorVendor.Intel, true, 3UL, false)]
    [TestCase(ProcessorVendor.Amd, false, 3UL, false)]
    [TestCase(ProcessorVendor.Amd, true, 5UL, false)]
    public void A_fault_of_a_comparison_may_leave_flags(ProcessorVendor vendor, bool faults, ulong left, bool accepted)
    {
        CpuState input = default;
        input.General[CpuState.Rcx] = 5;
        CpuState emulator = input;
        emulator.General[CpuState.Rcx] = left;
        CpuState processor = emulator;
        processor.Flags = UndefinedResults.Zero;
        Fault? fault = faults ? new Fault(Fault.PageFault, 4, 0) : null;

        Assert.That(IsAccepted("F3A6", vendor, in input, in processor, in emulator, fault), Is.EqualTo(accepted));
    }

    /// <summary>Reciprocals are approximate in the lanes that they compute, and nowhere else.</summary>
    [TestCase("F30F53C1", 0, 0x3F80_0100u, true)]
    [TestCase("F30F53C1", 0, 0x3F81_0000u, false)]
    [TestCase("F30F53C1", 1, 0x3F80_0100u, false)]
    [TestCase("0F53C1", 1, 0x3F80_0100u, true)]
    [TestCase("0F53C9", 1, 0x3F80_0100u, false)]
    public void Only_what_is_approximate_is_compared_so(string code, int lane, uint value, bool accepted)
    {
        CpuState input = default;
        Set(ref input, 0, Number, Number, Number, Number);
        CpuState processor = input;
        Span<uint> lanes = [Number, Number, Number, Number];
        lanes[lane] = value;
        Set(ref processor, 0, lanes);

        Assert.That(IsAccepted(code, ProcessorVendor.Intel, in input, in processor, in input), Is.EqualTo(accepted));
    }

    [TestCase(0x7F80_0000u, 0xFF80_0000u)]
    [TestCase(0u, 0x8000_0000u)]
    [TestCase(0x7FC0_0000u, 0x7FC0_0001u)]
    public void A_reciprocal_that_is_no_ordinary_number_is_exact(uint one, uint other)
    {
        CpuState emulator = default;
        Set(ref emulator, 0, one, 0, 0, 0);
        CpuState processor = default;
        Set(ref processor, 0, other, 0, 0, 0);

        Assert.That(IsAccepted("0F53C1", ProcessorVendor.Intel, in emulator, in processor, in emulator), Is.False);
    }

    [Test]
    public void Each_difference_has_a_description() =>
        Assert.That(VendorDifferences.All.Select(d => d.What), Is.Unique.And.All.EndsWith("."));

    private static bool IsAccepted(
        string code, ProcessorVendor vendor, in CpuState input, in CpuState processor, in CpuState emulator, Fault? fault = null)
    {
        Instruction instruction = Iced.Intel.Decoder.Create(64, new ByteArrayCodeReader(code)).Decode();
        return new Comparison
        {
            Vendor = vendor,
            Undefined = fault is null ? UndefinedResults.Of(in instruction, in input) : default,
            Fault = fault,
        }.Compare(in instruction, in input, in processor, in emulator, [], []) is null;
    }

    private static void Set(ref CpuState state, int register, params ReadOnlySpan<uint> lanes)
    {
        Span<byte> target = ((Span<byte>)state.Fx)[(FxImage.XmmOffset + (16 * register))..];
        for (int i = 0; i < lanes.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target[(4 * i)..], lanes[i]);
        }
    }
}
