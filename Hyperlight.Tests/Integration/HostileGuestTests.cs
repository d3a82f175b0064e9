using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Wire;

namespace Hyperlight.Tests.Integration;

/// <summary>A guest that breaks the rules on purpose: a typed error each time, and the host goes on.</summary>
internal sealed class HostileGuestTests(TestTarget target) : GuestTest(target)
{
    [TestCase(0)]
    [TestCase(98)]
    [TestCase(100)]
    [TestCase(104)]
    [TestCase(107)]
    [TestCase(0x3F8)]
    [TestCase(0xFFFF)]
    public void An_unknown_port_poisons(int port) => Assert.That(
        AssertPoisons<GuestProtocolException>(s => s.Call("OutPort", port, 0x12345678UL)).Message, Does.Contain($"port {port}"));

    [TestCase("OutPort8")]
    [TestCase("OutPort16")]
    public void A_narrow_write_to_an_unknown_port_poisons(string function) =>
        AssertPoisons<GuestProtocolException>(s => s.Call(function, 100, 0x12UL));

    [Test]
    public void Reading_a_port_poisons() =>
        Assert.That(AssertPoisons<GuestProtocolException>(s => s.Call<uint>("InPort", 99)).Message, Does.Contain("port 99"));

    [Test]
    public void An_invalid_debug_character_poisons() =>
        AssertPoisons<GuestProtocolException>(s => s.Call("OutPort", 103, 0xD800UL));

    [Test]
    public void A_log_port_without_a_record_poisons() => AssertPoisons<GuestProtocolException>(s => s.Call("OutPort", 99, 0UL));

    [Test]
    public void A_host_call_without_a_call_poisons() => AssertPoisons<GuestProtocolException>(s => s.Call("OutPort", 101, 0UL));

    [Test]
    public void Halting_without_a_result_is_reported_and_does_not_poison()
    {
        Assert.That(() => Sandbox.Call("HaltWithoutResult"), Throws.TypeOf<GuestProtocolException>());
        AssertUsable();
    }

    [Test]
    public void Hlt_without_a_result_is_reported_and_does_not_poison()
    {
        Assert.That(() => Sandbox.Call("Hlt"), Throws.TypeOf<GuestProtocolException>());
        AssertUsable();
    }

    [TestCase(0UL)]
    [TestCase(7UL)]
    [TestCase(9UL)]
    [TestCase(0x4001UL)]
    [TestCase(ulong.MaxValue)]
    public void A_corrupted_output_pointer_is_reported_and_repaired(ulong pointer)
    {
        Assert.That(() => Sandbox.Call("SetOutputSp", pointer), Throws.TypeOf<GuestProtocolException>());
        AssertUsable();
    }

    [TestCase(0UL)]
    [TestCase(0x4001UL)]
    [TestCase(ulong.MaxValue)]
    public void A_corrupted_input_pointer_is_reported_and_repaired(ulong pointer)
    {
        Assert.That(() => Sandbox.Call("SetInputSp", pointer), Throws.TypeOf<GuestProtocolException>());
        AssertUsable();
    }

    [Test]
    public void Junk_on_the_input_buffer_does_not_disturb_the_next_call()
    {
        Sandbox.Call("LeaveInputDirty");
        AssertUsable();
    }

    [TestCase(101)]
    [TestCase(99)]
    public void A_back_pointer_that_points_anywhere_poisons(int port)
    {
        foreach (ulong pointer in new ulong[] { 0, 7, 0x40, 0x4000, ulong.MaxValue })
        {
            byte[] raw = new byte[0x50];
            BinaryPrimitives.WriteUInt64LittleEndian(raw, 0x50);
            BinaryPrimitives.WriteUInt64LittleEndian(raw.AsSpan(0x48), pointer);
            MultiUseSandbox sandbox = Build(_ => { });

            Assert.That(() => sandbox.Call("PokeOutput", raw, port), Throws.TypeOf<GuestProtocolException>());
            Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
        }
    }

    [TestCaseSource(nameof(MalformedMessages))]
    public void A_malformed_host_call_poisons(byte[] message) =>
        AssertPoisons<GuestProtocolException>(s => s.Call<byte[]>("SendRawHostCall", message));

    [TestCaseSource(nameof(MalformedMessages))]
    public void A_malformed_log_record_poisons(byte[] message) =>
        AssertPoisons<GuestProtocolException>(s => s.Call("SendRawLog", message));

    [TestCaseSource(nameof(MalformedMessages))]
    public void A_malformed_result_is_reported_and_does_not_poison(byte[] message)
    {
        Assert.That(() => Sandbox.Call<int>("SendRawResult", message), Throws.TypeOf<GuestProtocolException>());
        AssertUsable();
    }

    [Test]
    public void A_wellformed_raw_host_call_is_answered()
    {
        Sandbox.WithHostFunction("Add", (int a, int b) => a + b);

        Assert.That(Sandbox.Call<byte[]>("SendRawHostCall", GoldenVectors.AddCall), Is.EqualTo(GoldenVectors.IntResult));
    }

    [TestCase(0UL)]
    [TestCase(0x9000_0000UL)]
    [TestCase(0xF_FFFB_7000UL)]
    public void Reading_memory_that_is_not_there_poisons(ulong address)
    {
        MemoryAccessViolationException error =
            AssertPoisons<MemoryAccessViolationException>(s => s.Call<ulong>("MapAndRead", address));

        Assert.That(error.Address & ~0xFFFUL, Is.EqualTo(address));
        Assert.That(error.Attempted, Is.EqualTo(MemoryFlags.Read));
    }

    [Test]
    public void Writing_memory_that_is_not_there_poisons()
    {
        MemoryAccessViolationException error =
            AssertPoisons<MemoryAccessViolationException>(s => s.Call("MapAndWrite", 0x9000_0000UL, 1UL));

        Assert.That(error.Address, Is.EqualTo(0x9000_0000));
        Assert.That(error.Attempted, Is.EqualTo(MemoryFlags.Write));
    }

    [Test]
    public void Writing_the_image_behind_the_page_tables_back_poisons() => Assert.That(
        AssertPoisons<MemoryAccessViolationException>(s => s.Call("WriteSnapshotPage")).Attempted,
        Is.EqualTo(MemoryFlags.Write));

    [Test]
    public void Random_host_calls_never_harm_the_host()
    {
        const int seed = 11;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        MultiUseSandbox sandbox = Build(_ => { });
        for (int i = 0; i < 60; i++)
        {
            byte[] message = [.. GoldenVectors.AddCall];
            for (int k = random.Next(1, 5); k > 0; k--)
            {
                message[random.Next(message.Length)] = (byte)random.Next(256);
            }

            try
            {
                _ = sandbox.Call<byte[]>("SendRawHostCall", message);
            }
            catch (HyperlightException)
            {
                if (sandbox.Status == SandboxStatus.Poisoned)
                {
                    sandbox.Dispose();
                    sandbox = Build(_ => { });
                }
            }
        }

        AssertUsable();
    }

    private static IEnumerable<TestCaseData> MalformedMessages()
    {
        static TestCaseData Case(string name, byte[] message) => new TestCaseData(message).SetArgDisplayNames(name);

        yield return Case("four zero bytes", new byte[4]);
        yield return Case("size beyond the slot", [.. BitConverter.GetBytes(0x100), .. new byte[60]]);
        yield return Case("huge size", [.. BitConverter.GetBytes(uint.MaxValue), .. new byte[60]]);
        yield return Case("root beyond the message", [.. BitConverter.GetBytes(60), .. BitConverter.GetBytes(0x1000), .. new byte[56]]);
        yield return Case("all ones", [.. BitConverter.GetBytes(60), .. Enumerable.Repeat((byte)0xFF, 60)]);
        yield return Case("text", [.. BitConverter.GetBytes(32), .. "this is not a FlatBuffer at all."u8]);
    }
}
