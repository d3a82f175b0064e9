using Hyperlight.Tests.Host.Elf;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Integration;

/// <summary>Guests that run only where they were linked (ET_EXEC).</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class LinkAddressTests(TestTarget target)
{
    private const ulong Code = 0x40_1000;
    private const ulong Data = 0x40_2000;
    private const ulong GoodStack = 0xFFFF_FFFF_FFFF_EF00;

    [Test]
    public void A_guest_runs_where_it_was_linked_also_from_a_snapshot()
    {
        using MultiUseSandbox sandbox = Build(code =>
        {
            code.mov(rsp, GoodStack);
            code.mov(rax, __[(long)Data]);
            code.Out(108);
        });
        using Snapshot snapshot = sandbox.TakeSnapshot();
        using MultiUseSandbox other = new SandboxBuilder().WithHypervisor(target.Hypervisor).WithSnapshot(snapshot).Build();

        // The dispatcher, whose address is in the data, answers with nothing.
        foreach (MultiUseSandbox each in new[] { sandbox, other })
        {
            Assert.That(() => each.Call("f"), Throws.TypeOf<GuestProtocolException>().With.Message.Contains("no message"));
        }

        Assert.That(snapshot.Size, Is.LessThan(1 << 20), "what lies below the guest is not captured");
    }

    [Test]
    public void Nothing_is_mapped_below_the_guest() => Assert.That(
        () => Build(code => code.mov(rax, __[0x20_0000])),
        Throws.TypeOf<GuestInitializationException>().With.Message.Contains("triple fault"));

    private MultiUseSandbox Build(Action<Assembler> initialise)
    {
        var code = new Assembler(64);
        Label dispatch = code.CreateLabel();
        initialise(code);
        code.hlt();
        code.Label(ref dispatch);
        code.Out(108);
        using var stream = new MemoryStream();
        AssemblerResult result = code.Assemble(new StreamCodeWriter(stream), Code, BlockEncoderOptions.ReturnNewInstructionOffsets);
        byte[] guest = new TestElf
        {
            Type = 2,
            Segments = [new(Code, stream.ToArray()), new(Data, TestElf.Words(result.GetLabelRIP(dispatch)))],
            Entry = Code,
        }.Build();
        return new SandboxBuilder().WithHypervisor(target.Hypervisor).WithGuest(GuestBinary.FromBytes(guest)).Build();
    }
}
