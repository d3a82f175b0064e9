using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Hyperlight.Tests.Integration;

/// <summary>Processor exceptions in the guest, and memory that runs out.</summary>
internal sealed class FaultTests(TestTarget target) : GuestTest(target)
{
    private const byte DivideError = 0;
    private const byte InvalidOpcode = 6;
    private const byte GeneralProtection = 13;
    private const byte PageFault = 14;

    [Test]
    public void Divide_by_zero() => AssertException("DivideByZero", DivideError);

    [Test]
    public void Null_read() => AssertException("NullRead", PageFault);

    [Test]
    public void Null_write() => AssertException("NullWrite", PageFault);

    [TestCase(0x4000_0000UL)]
    [TestCase(0xFFFF_8000_0000_0000UL)]
    [TestCase(0xFFFF_FFFF_FFFF_FFF8UL)]
    public void Wild_read(ulong address) => AssertException("WildRead", PageFault, address);

    [TestCase(0x4000_0000UL)]
    [TestCase(0xFFFF_FFFF_FFFF_F000UL)]
    public void Wild_write(ulong address) => AssertException("WildWrite", PageFault, address);

    [Test]
    public void A_non_canonical_address() => AssertException("WildRead", GeneralProtection, 0x1234_5678_9ABC_DEF0UL);

    [Test]
    public void A_jump_to_nowhere() => AssertException("JumpTo", PageFault, 0x4000_0000UL);

    [Test]
    public void A_jump_to_data() => AssertException("JumpToData", PageFault);

    [Test]
    public void An_invalid_instruction() => AssertException("InvalidOpcode", InvalidOpcode);

    [Test]
    public void A_general_protection_fault() => AssertException("GeneralProtection", GeneralProtection);

    [Test]
    public void The_message_names_the_address() => Assert.That(
        AssertException("WildRead", PageFault, 0x4000_1230UL).GuestMessage, Does.Contain("40001230").IgnoreCase);

    [TestCase("NullRead", "null_read")]
    [TestCase("DivideByZero", "divide_by_zero")]
    public void The_message_names_the_function_and_the_address_of_the_elf_file(string call, string function)
    {
        GuestAbortedException error = Assert.Throws<GuestAbortedException>(() => Sandbox.Call(call))!;

        Match location = Regex.Match(error.Message, $@"at 0x([0-9a-f]+) in {function}\+0x[0-9a-f]+(, accessing .*)? of the guest's ELF file\.$");
        Match bytes = Regex.Match(error.GuestMessage, "Instruction bytes: ([0-9a-f ]+)");
        Assert.That(location.Success, Is.True, error.Message);
        Assert.That(BytesAt(Convert.ToUInt64(location.Groups[1].Value, 16)), Is.EqualTo(bytes.Groups[1].Value));
    }

    [Test]
    public void A_forbidden_access_names_the_function()
    {
        var error = AssertPoisons<MemoryAccessViolationException>(s => s.Call<ulong>("MapAndRead", 0x5000_0000UL));

        Assert.That(error.Message, Does.Match(@"at 0x[0-9a-f]+ in map_and_read\+0x[0-9a-f]+ of the guest's ELF file\.$"));
    }

    [Test]
    public void A_snapshot_keeps_the_names_and_a_loaded_one_has_none()
    {
        using var files = new TestFiles();
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        snapshot.Save(files.Directory);
        using Snapshot loaded = Snapshot.Load(files.Directory, hypervisor: Target.Hypervisor);

        Sandbox.Restore(snapshot);
        Assert.That(() => Sandbox.Call("NullRead"), Throws.TypeOf<GuestAbortedException>().With.Message.Contains("null_read+0x"));
        Sandbox.Restore(loaded);
        Assert.That(() => Sandbox.Call("NullRead"), Throws.TypeOf<GuestAbortedException>().With.Message.Not.Contains("ELF file"));
    }

    [Test]
    public void A_triple_fault() => AssertPoisons<UnexpectedVmExitException>(s => s.Call("TripleFault"));

    [Test]
    public void Endless_recursion_runs_out_of_memory() =>
        Assert.That(AssertPoisons<GuestAbortedException>(s => s.Call("StackOverflow")).Code, Is.EqualTo(13));

    [Test]
    public void The_stack_grows_on_demand() => Assert.That(Sandbox.Call<int>("UseStack", 64), Is.EqualTo(64));

    [Test]
    public void A_heap_that_runs_out() =>
        Assert.That(AssertPoisons<GuestAbortedException>(s => s.Call("ExhaustHeap")).Code, Is.EqualTo(13));

    [Test]
    public void A_block_freed_twice()
    {
        ulong block = Sandbox.Call<ulong>("AllocateHeap", 64);
        Sandbox.Call("FreeHeap", block);

        Assert.That(AssertPoisons<GuestAbortedException>(s => s.Call("FreeHeap", block)).Code, Is.EqualTo(12));
    }

    [Test]
    public void The_heap_is_reused() => Assert.That(Sandbox.Call<int>("HeapCycle", 200, 512), Is.EqualTo(200));

    [Test]
    public void The_guest_may_change_its_own_code() => Assert.That(Sandbox.Call<int>("WriteToCode"), Is.EqualTo(42));

    [Test]
    public void Setjmp_and_longjmp() => Assert.That(() => Sandbox.Call<int>("SetJmpRoundTrip"), Throws.Nothing);

    [Test]
    public void A_fault_in_one_sandbox_leaves_another_alone()
    {
        MultiUseSandbox other = Build(_ => { });

        AssertException("NullWrite", PageFault);

        Assert.That(other.Call<int>("Add", 1, 2), Is.EqualTo(3));
    }

    private GuestAbortedException AssertException(string function, byte vector, params ulong[] address)
    {
        GuestAbortedException error = AssertPoisons<GuestAbortedException>(
            s => s.Call(function, [.. address.Select(a => (GuestValue)a)]));
        Assert.That(error.Code, Is.EqualTo(15));
        Assert.That(error.ExceptionVector, Is.EqualTo(vector), error.Message);
        return error;
    }

    /// <summary>Eight bytes of the guest's file at a link-time address.</summary>
    private string BytesAt(ulong address)
    {
        byte[] file = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "guests", Target.GuestFile));
        for (int header = 64; ; header += 56)
        {
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(header + 8));
            ulong start = BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(header + 16));
            ulong size = BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(header + 32));
            if (BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(header)) == 1 && address >= start && address - start < size)
            {
                return string.Join(' ', file[(int)(offset + address - start)..].Take(8).Select(b => b.ToString("x2", CultureInfo.InvariantCulture)));
            }
        }
    }
}
