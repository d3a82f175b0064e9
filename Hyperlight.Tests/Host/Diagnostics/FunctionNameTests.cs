using Hyperlight.Abstractions;
using Hyperlight.Host.Functions;
using Hyperlight.Host.Protocol;

namespace Hyperlight.Tests.Host.Diagnostics;

/// <summary>
/// Names of functions come from callers, such as a URL, and from guests. In the message of an exception they cannot forge a line of a
/// log, and are not longer than other texts.
/// </summary>
[TestFixture]
internal sealed class FunctionNameTests
{
    private static readonly string Name = "a\nerror: forged\u001B[2J" + new string('x', 1 << 16);

    private static IEnumerable<TestCaseData> Failures =>
    [
        new TestCaseData((Action)(static () => throw new GuestErrorException(Name, 1, "failed"))).SetArgDisplayNames(nameof(GuestErrorException)),
        new TestCaseData((Action)(static () => throw new ReturnTypeMismatchException(Name, GuestValueType.Int, GuestValueType.Long))).SetArgDisplayNames(nameof(ReturnTypeMismatchException)),
        new TestCaseData((Action)(static () => throw new DestinationTooSmallException(Name, 5, 1))).SetArgDisplayNames(nameof(DestinationTooSmallException)),
        new TestCaseData((Action)(static () => GuestCallLimits.Check(Name, 100))).SetArgDisplayNames(nameof(GuestCallLimits)),
        new TestCaseData((Action)(static () => NewBuffer().Reserve(1 << 20, "The error of host function", Name, out _))).SetArgDisplayNames(nameof(SharedBuffer)),
    ];

    [TestCaseSource(nameof(Failures))]
    public void It_is_escaped_and_shortened(Action fail)
    {
        string message = Assert.Catch(fail)!.Message;

        Assert.That(message, Does.Contain("a\\nerror: forged\\u001B[2Jxxx"));
        Assert.That(message.Any(char.IsControl), Is.False);
        Assert.That(message, Has.Length.LessThan(5000));
    }

    private static SharedBuffer NewBuffer()
    {
        var buffer = new SharedBuffer(new ManagedMemoryRegion(0x1000), 0, 0x1000, "input");
        buffer.Reset();
        return buffer;
    }
}
