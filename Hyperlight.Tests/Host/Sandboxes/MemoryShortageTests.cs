using System.Diagnostics;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>A process with a small limit on the garbage collector's heap gets a typed error, or needs no memory.</summary>
[TestFixture]
internal sealed class MemoryShortageTests
{
    public const string Command = "memory-shortage";

    private const string Expected = nameof(HostMemoryException);
    private const string Success = "succeeds";

    [Test]
    [CancelAfter(120_000)]
    public void Every_operation_that_needs_too_much_memory_is_a_typed_error()
    {
        ProcessStartInfo start = TestProcess.Command(Command);
        start.Environment["DOTNET_GCHeapHardLimit"] = MemoryShortage.Limit;
        using Process process = Process.Start(start)!;
        string[] lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        process.WaitForExit();
        TestContext.Out.WriteLine(string.Join('\n', lines));

        Assert.That(process.ExitCode, Is.Zero);
        Dictionary<string, string> endings = lines.Select(static line => line.Split(": ")).ToDictionary(static l => l[0], static l => l[1]);
        Assert.That(endings.Values.Distinct(), Is.SubsetOf(new[] { Expected, Success }));
        Assert.That(MemoryShortage.NeedsMemory.Select(name => $"{name}: {endings[name]}"), Has.All.EndsWith(Expected));
    }
}
