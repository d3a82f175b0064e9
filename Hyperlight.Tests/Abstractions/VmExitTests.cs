using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Abstractions;

/// <summary>Exits are plain values that describe themselves.</summary>
[TestFixture]
internal sealed class VmExitTests
{
    [Test]
    public void Equal_exits_are_equal_and_others_are_not()
    {
        VmExit exit = VmExit.IoOut(1, 2, 4);
        Assert.That(VmExit.IoOut(1, 2, 4), Is.EqualTo(exit));
        Assert.That(VmExit.IoOut(1, 2, 4), Is.Not.EqualTo(VmExit.IoOut(1, 2, 2)));
        Assert.That(VmExit.Halt, Is.Not.EqualTo(VmExit.Shutdown));
        Assert.That(default(VmExit).Reason, Is.EqualTo(VmExitReason.Unknown));
    }

    [Test]
    public void An_emulation_failure_keeps_fifteen_bytes_in_order()
    {
        byte[] bytes = [.. Enumerable.Range(1, 20).Select(i => (byte)i)];

        VmExit exit = VmExit.EmulationFailure(0x1234, bytes, 1);

        Assert.That(exit.InstructionLength, Is.EqualTo(15));
        Assert.That((byte)exit.InstructionBytes, Is.EqualTo(1));
        Assert.That((byte)(exit.InstructionBytes >> (14 * 8)), Is.EqualTo(15));
        Assert.That(exit.ToString(), Does.Contain("0x1234").And.Contain("0102030405060708090A0B0C0D0E0F"));
    }

    [TestCaseSource(nameof(Descriptions))]
    public void An_exit_describes_itself(VmExit exit, string text) => Assert.That(exit.ToString(), Does.Contain(text));

    private static IEnumerable<TestCaseData> Descriptions() =>
    [
        new(VmExit.IoOut(101, 0xAB, 4), "0xAB, to port 101"),
        new(VmExit.IoIn(99, 2), "2 byte(s) from port 99"),
        new(VmExit.MmioRead(0x9000, 8), "0x9000"),
        new(VmExit.MmioWrite(0x9000, 1, 8), "read-only guest physical address 0x9000"),
        new(VmExit.AccessViolation(0x9000, MemoryFlags.Write), "(Write)"),
        new(VmExit.Debug(0x10, 3, 0), "exception 3"),
        new(VmExit.Shutdown, "triple fault"),
        new(VmExit.EmulationFailure(0x10, [], 1), "not reported"),
        new(VmExit.Unknown(77, 0x88), "code 77 (detail 0x88)"),
        new(VmExit.Halt, "Halt"),
    ];
}
