using System.Globalization;
using System.Text.RegularExpressions;

namespace Hyperlight.Tests.Integration;

/// <summary>The largest sizes that a configuration accepts.</summary>
internal sealed class LargestSizesTests(TestTarget target) : GuestTest(target)
{
    /// <summary>ENOMEM; ERROR_NOT_ENOUGH_MEMORY and ERROR_COMMITMENT_LIMIT.</summary>
    private static readonly int[] OutOfMemory = OperatingSystem.IsWindows() ? [8, 1455] : [12];

    /// <summary>Room for the page tables, 8 bytes for each page.</summary>
    private const ulong ScratchSize = 16 << 20;

    [SetUp]
    public void NeedsMemoryThatIsNotPinned()
    {
        if (Target.CopiesFilesWhenMapped)
        {
            Assert.Ignore($"{Target.Driver} copies or pins what is mapped: gigabytes of memory.");
        }
    }

    [Test]
    public void The_error_of_a_heap_that_does_not_fit_has_the_largest_one_and_that_one_works()
    {
        MemoryRequestException error = Assert.Throws<MemoryRequestException>(() => BuildWith(SandboxConfiguration.MaximumHeapSize))!;
        Match advice = Regex.Match(error.Message, @"Set SandboxConfiguration\.HeapSize to (\d+) or less\.");
        Assert.That(advice.Success, error.Message);
        ulong largest = ulong.Parse(advice.Groups[1].Value, CultureInfo.InvariantCulture);

        MultiUseSandbox sandbox = BuildWith(largest);

        const int half = 0x7000_0000;
        ulong first = sandbox.Call<ulong>("AllocateHeap", half);
        ulong second = sandbox.Call<ulong>("AllocateHeap", half);
        Assert.That(first, Is.Not.Zero);
        Assert.That(second, Is.GreaterThanOrEqualTo(first + half));
        sandbox.Call("Poke", second + half - sizeof(ulong), 42UL);
        Assert.That(sandbox.Call<ulong>("Peek", second + half - sizeof(ulong)), Is.EqualTo(42));
        Assert.That(() => BuildWith(largest + 1), Throws.TypeOf<MemoryRequestException>());
    }

    [Test]
    public void The_largest_scratch_memory_and_buffers_work()
    {
        var configuration = new SandboxConfiguration
        {
            ScratchSize = SandboxConfiguration.MaximumScratchSize,
            InputBufferSize = SandboxConfiguration.MaximumBufferSize,
            OutputBufferSize = SandboxConfiguration.MaximumBufferSize,
        };
        MultiUseSandbox sandbox = BuildWith(configuration);
        Assert.That(sandbox.Call<int>("Add", 20, 22), Is.EqualTo(42));
        using Snapshot snapshot = sandbox.TakeSnapshot();
        sandbox.Restore(snapshot);
        Assert.That(sandbox.Call<int>("Add", 20, 22), Is.EqualTo(42));
    }

    private MultiUseSandbox BuildWith(ulong heapSize) =>
        BuildWith(new SandboxConfiguration { HeapSize = heapSize, ScratchSize = ScratchSize });

    private MultiUseSandbox BuildWith(SandboxConfiguration configuration)
    {
        try
        {
            return Build(b => b.WithConfiguration(configuration));
        }
        catch (HypervisorException exception) when (OutOfMemory.Contains(exception.ErrorCode))
        {
            Assert.Ignore(
                $"this machine does not have {configuration.HeapSize} bytes for a heap and {configuration.ScratchSize} bytes of scratch memory to give: {exception.Message}");
            throw;
        }
    }
}
