using System.Globalization;
using System.Text.RegularExpressions;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// Sizes that are too small: every error names the setting and a value that would do, and with that value the error does not
/// come back. The limits are met by the host, by the guest's runtime, and in sandboxes from snapshots.
/// </summary>
internal sealed class SizeLimitTests(TestTarget target) : GuestTest(target)
{
    private const int Mebibyte = 1 << 20;

    private static readonly byte[] Large = [.. Enumerable.Range(0, Mebibyte).Select(i => (byte)(i * 7))];

    [Test]
    public void Echoing_a_mebibyte_needs_one_retry_for_each_setting_at_most()
    {
        List<string> raised = [];
        byte[] echo = Retry(new SandboxConfiguration(), raised, s => s.Call<byte[]>("EchoBytes", Large));

        Assert.That(echo, Is.EqualTo(Large));
        Assert.That(raised, Is.EqualTo(new[] { "InputBufferSize", "HeapSize", "OutputBufferSize" }), "scratch memory follows the other sizes");
    }

    [Test]
    public void Echoing_a_mebibyte_through_buffers_that_are_large_enough_needs_a_heap_and_nothing_else()
    {
        List<string> raised = [];
        var configuration = new SandboxConfiguration { InputBufferSize = Mebibyte + 0x1000, OutputBufferSize = Mebibyte + 0x1000 };

        Assert.That(Retry(configuration, raised, s => s.Call<byte[]>("EchoBytes", Large)), Is.EqualTo(Large));
        Assert.That(raised, Is.EqualTo(new[] { "HeapSize" }));
    }

    [Test]
    public void Echoing_a_mebibyte_through_a_host_function_needs_one_retry_for_each_setting_at_most()
    {
        List<string> raised = [];
        byte[] echo = Retry(new SandboxConfiguration(), raised, s => s.Call<byte[]>("RoundTripBytes", Large));

        Assert.That(echo, Is.EqualTo(Large));
        Assert.That(raised, Is.Unique.And.SubsetOf(new[] { "InputBufferSize", "HeapSize", "OutputBufferSize" }));
    }

    [Test]
    public void A_host_functions_result_that_does_not_fit_says_which_buffer_would_do()
    {
        List<string> raised = [];
        string text = Retry(
            new SandboxConfiguration { HeapSize = Mebibyte },
            raised,
            s =>
            {
                s.WithHostFunction("Large", () => new string('x', 0x5000));
                return s.Call<string>("CallHostExpectString", "Large");
            });

        Assert.That(text, Has.Length.EqualTo(0x5000));
        Assert.That(raised, Is.EqualTo(new[] { "InputBufferSize", "OutputBufferSize" }));
    }

    [TestCase(0x13000UL, Description = "too small to start")]
    [TestCase(0x420000UL, Description = "too small for the heap")]
    public void Scratch_memory_that_is_set_too_small_says_what_would_do(ulong scratchSize)
    {
        List<string> raised = [];
        var configuration = new SandboxConfiguration
        {
            InputBufferSize = 2 * Mebibyte,
            OutputBufferSize = 2 * Mebibyte,
            HeapSize = 8 * Mebibyte,
            ScratchSize = scratchSize,
        };

        Assert.That(Retry(configuration, raised, s => s.Call<byte[]>("EchoBytes", Large)), Is.EqualTo(Large));
        Assert.That(raised, Is.EqualTo(new[] { "ScratchSize" }));
    }

    [Test]
    public void Every_heap_that_fills_the_default_scratch_memory_can_be_used_as_a_whole()
    {
        foreach (ulong heap in new ulong[] { 0x4000, 0x20000, 2 * Mebibyte })
        {
            MultiUseSandbox sandbox = Build(b => b.WithConfiguration(new SandboxConfiguration { HeapSize = heap }));

            GuestAbortedException error = Assert.Throws<GuestAbortedException>(() => sandbox.Call("ExhaustHeap"))!;

            Assert.That(error.GuestMessage, Does.Contain("the heap has").And.Contain("HeapSize"), "the heap is used up, and not scratch memory");
        }
    }

    [Test]
    public void In_a_sandbox_from_a_snapshot_the_errors_say_that_the_sizes_are_the_snapshots()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        MultiUseSandbox FromSnapshot() => new SandboxBuilder()
            .WithHypervisor(Target.Hypervisor).WithSnapshot(snapshot).WithConfiguration(new SandboxConfiguration { HeapSize = 1 << 30 }).Build();
        using MultiUseSandbox first = FromSnapshot();
        using MultiUseSandbox second = FromSnapshot();

        MessageTooLargeException message = Assert.Throws<MessageTooLargeException>(() => first.Call<byte[]>("EchoBytes", Large))!;
        GuestAbortedException heap = Assert.Throws<GuestAbortedException>(() => second.Call("ExhaustHeap"))!;
        GuestErrorException output = Assert.Throws<GuestErrorException>(() => first.Call<byte[]>("MakeBytes", 0x4000, 1))!;

        Assert.That(message.Message, Does.Contain($"InputBufferSize to {message.RequiredBufferSize} or more").And.Contain("the snapshot"));
        Assert.That(heap.Message, Does.Contain("HeapSize is 131072 bytes").And.Contain("the snapshot"));
        Assert.That(output.Message, Does.Contain("OutputBufferSize to 20480 or more before the guest starts"));
        Assert.That(Assert.Throws<MessageTooLargeException>(() => Sandbox.Call<byte[]>("EchoBytes", Large))!.Message, Does.Not.Contain("snapshot"));
    }

    [Test]
    public void The_heap_that_a_guest_asks_for_is_one_that_a_guest_can_have()
    {
        GuestAbortedException error = Assert.Throws<GuestAbortedException>(() => Sandbox.Call<ulong>("AllocateHeap", int.MaxValue))!;
        Match advice = Regex.Match(error.GuestMessage, @"set HeapSize to (\d+) or more");

        Assert.That(advice.Success, error.GuestMessage);
        Assert.That(ulong.Parse(advice.Groups[1].Value, CultureInfo.InvariantCulture), Is.InRange((ulong)int.MaxValue, 0xFE00_0000UL));
    }

    [Test]
    public void A_heap_that_is_too_small_to_start_with_needs_one_retry()
    {
        List<string> raised = [];

        Assert.That(Retry(new SandboxConfiguration { HeapSize = 1 }, raised, s => s.Call<int>("Add", 1, 2)), Is.EqualTo(3));
        Assert.That(raised, Is.EqualTo(new[] { "HeapSize" }));
    }

    /// <summary>Calls until it works, and does what each error says.</summary>
    private T Retry<T>(SandboxConfiguration configuration, List<string> raised, Func<MultiUseSandbox, T> call)
    {
        while (true)
        {
            try
            {
                using MultiUseSandbox sandbox = Target.Builder().WithConfiguration(configuration)
                    .WithHostFunction("HostEchoBytes", (byte[] x) => x).Build();
                return call(sandbox);
            }
            catch (HyperlightException error)
            {
                Match advice = Regex.Match(error.Message, @"(\w+Size)( unset.*, or set it)? to (?<value>\d+) or more");
                Assert.That(advice.Success, error.Message);
                string setting = advice.Groups[1].Value;
                ulong value = ulong.Parse(advice.Groups["value"].Value, CultureInfo.InvariantCulture);
                Assert.That(raised, Does.Not.Contain(setting), $"a second time: {error.Message}");
                raised.Add(setting);
                configuration = setting switch
                {
                    "InputBufferSize" => configuration with { InputBufferSize = (int)value },
                    "OutputBufferSize" => configuration with { OutputBufferSize = (int)value },
                    "HeapSize" => configuration with { HeapSize = value },
                    _ => configuration with { ScratchSize = value },
                };
            }
        }
    }
}
