using Hyperlight.Host.Execution;
using Hyperlight.Tests.Host.Elf;

namespace Hyperlight.Tests.Host.Execution;

/// <summary>Where a guest failed is found in the texts that the runtimes of C and Rust guests send. They are the guest's, and can be anything.</summary>
[TestFixture]
internal sealed class FaultLocatorTests
{
    private static readonly FaultLocator Locator = new(GuestBinary.FromBytes(TestSymbols.AppendTo(
        TestElf.OfCode(new byte[0x1000]).Build(), [new("main", 0x100, 0x100), new("table", 0x800, 0x10, Type: 1)])));

    [TestCase("Exception: PageFault | Vector: 14\nInstruction address: 0x1112\nFault address: 0x0", "0x112 in main+0x12")]
    [TestCase("Exception: PageFault | Vector: 14\nInstruction address: 0x1112\nFault address: 0x1808\n", "0x112 in main+0x12, accessing 0x808 in table+0x8")]
    [TestCase("Exception: PageFault | Vector: 14\nInstruction address: 0x1900\nFault address: 0x1900", "0x900")]
    [TestCase("Exception: InvalidOpcode | Exception vector: 6\nFaulting Instruction: 0x1100\nPage Fault Address: 0x0", "0x100 in main+0x0")]
    [TestCase("Instruction address: 1100", "0x100 in main+0x0")]
    [TestCase("Instruction address: 0x9000", null)]
    [TestCase("Instruction address: 0x11111111111111111", null)]
    [TestCase("Instruction address: ", null)]
    [TestCase("Instruction address: 0x", null)]
    [TestCase("Instruction address: -1", null)]
    [TestCase("anything", null)]
    [TestCase("", null)]
    public void A_text_is_searched_for_the_instruction(string text, string? location) => Assert.That(Locator.Locate(text), Is.EqualTo(location));

    [Test]
    public void Without_a_guest_nothing_is_located() =>
        Assert.That(new FaultLocator(null).Locate("Instruction address: 0x1100"), Is.Null);
}
