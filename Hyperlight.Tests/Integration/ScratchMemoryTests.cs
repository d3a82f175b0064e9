using Hyperlight.Abstractions;
using Hyperlight.Tests.Emulator.Differential;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// After a restore every byte of scratch memory is what it is in a sandbox that was just made from the snapshot, whatever
/// guest and host have written there since and however the calls ended.
/// </summary>
internal sealed class ScratchMemoryTests(TestTarget target) : GuestTest(target)
{
    private const ulong Plant = 0x5A17_AB1E_D00D_F00D;

    /// <summary>Distance of the seed from the end of scratch memory.</summary>
    private const int SeedOffset = 0x28;

    /// <summary>What a sandbox goes through. Some of it fails, and some poisons the sandbox.</summary>
    private static readonly Dictionary<string, Action<MultiUseSandbox>> Uses = new()
    {
        ["nothing"] = static _ => { },
        ["an empty call"] = static s => s.Call("ReturnNothing"),
        ["a counter"] = static s => s.Call<int>("IncrementCounter"),
        ["stack"] = static s => s.Call<int>("UseStack", 40),
        ["heap"] = static s => s.Call<int>("HeapCycle", 20, 700),
        ["all of scratch memory"] = static s => s.Call("PlantScratch", Plant),
        ["heap and stack"] = static s => s.Call<ulong>("PlantHeapAndStack", Plant, 0x4000U),
        ["a large argument"] = static s => s.Call<int>("SumBytes", Filled(12_000)),
        ["a large argument that comes back"] = static s => s.Call<byte[]>("EchoBytes", Filled(12_000)),
        ["a large result"] = static s => s.Call<byte[]>("MakeBytes", 12_000, 0x5A),
        ["an argument that is too large"] = static s => s.Call<byte[]>("EchoBytes", Filled(20_000)),
        ["host calls"] = static s => s.Call<long>("CallHostTimes", 20),
        ["a host call with a large result"] = static s => s.Call<byte[]>("RoundTripBytes", Filled(7000)),
        ["a host function that fails"] = static s => s.Call("CallHostNamed", "Fail"),
        ["logging"] = static s => s.Call("LogAllLevels"),
        ["a page of the image"] = static s => s.Call("WriteSnapshotPage"),
        ["scratch memory at another address"] = static s => s.Call("MapAndWrite", 0x10_0000_0000UL - 0x6000, Plant),
        ["an image of the FPU"] = static s => s.Call<byte[]>("GetFpu"),
        ["descriptor tables"] = static s => s.Call("DropDescriptorTables"),
        ["leftovers in the input buffer"] = static s => s.Call("LeaveInputDirty"),
        ["a corrupt input buffer"] = static s => s.Call("SetInputSp", 0x3FF0UL),
        ["a call on top of it"] = static s => { s.Call("LeaveInputDirty"); s.Call<int>("SumBytes", Filled(8000)); },
        ["a corrupt output buffer"] = static s => s.Call("SetOutputSp", 0x2000UL),
        ["an error"] = static s => s.Call("ReturnError", 3, "no"),
        ["a breakpoint"] = static s => s.Call("Breakpoint"),
        ["an invalid instruction"] = static s => s.Call("InvalidOpcode"),
        ["a write to null"] = static s => s.Call("NullWrite"),
        ["a write to code"] = static s => s.Call("WriteToCode"),
        ["a stack without end"] = static s => s.Call("StackOverflow"),
        ["a heap without end"] = static s => s.Call("ExhaustHeap"),
        ["half an abort"] = static s => s.Call("AbortHalfway"),
        ["a triple fault"] = static s => s.Call("TripleFault"),
        ["cancelled in a host function"] = static s => s.Call<int>("RoundTripInt", 1),
        ["cancelled while it writes"] = static s =>
        {
            var timer = new Timer(_ => s.InterruptHandle.Cancel(), null, 1, 1);
            try
            {
                s.Call<int>("HeapCycle", int.MaxValue, 700);
            }
            finally
            {
                // Waits for a request that is being made, which would be one for a later call.
                timer.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        },
    };

    private static IEnumerable<string> UseNames => Uses.Keys;

    private RegionRecorder _driver = null!;

    [SetUp]
    public void RecordMemory() => _driver = new RegionRecorder(Target.Hypervisor);

    [TestCaseSource(nameof(UseNames))]
    public void A_restore_resets_scratch_memory(string use)
    {
        MultiUseSandbox sandbox = BuildRecorded(b => b, out IMemoryRegion scratch);
        using Snapshot snapshot = sandbox.TakeSnapshot();
        byte[] expected = Fresh(snapshot);

        for (int i = 0; i < 3; i++)
        {
            Try(Uses[use], sandbox);
            sandbox.Restore(snapshot);
            AssertSame(expected, scratch, use);
        }

        Assert.That(sandbox.Call<int>("Add", 20, 22), Is.EqualTo(42));
    }

    [Test]
    public void A_restore_resets_scratch_memory_after_any_sequence_of_calls_and_snapshots()
    {
        var random = new Random((int)(TestSettings.ChooseSeed(out _) >> 20));
        MultiUseSandbox sandbox = BuildRecorded(b => b, out IMemoryRegion scratch);
        using Snapshot small = sandbox.TakeSnapshot();

        // Its page tables are longer.
        sandbox.Call<ulong>("PlantHeapAndStack", Plant, 0x8000U);
        using Snapshot large = sandbox.TakeSnapshot();
        (Snapshot Snapshot, byte[] Scratch)[] snapshots = [(small, Fresh(small)), (large, Fresh(large))];
        string[] names = [.. Uses.Keys];

        for (int i = 0; i < 100; i++)
        {
            var done = new List<string>();
            for (int calls = random.Next(4); calls > 0; calls--)
            {
                string name = names[random.Next(names.Length)];
                done.Add(name);
                Try(Uses[name], sandbox);
            }

            (Snapshot snapshot, byte[] expected) = snapshots[random.Next(snapshots.Length)];
            sandbox.Restore(snapshot);
            AssertSame(expected, scratch, string.Join(", ", done));
        }
    }

    [Test]
    public void A_restore_resets_large_scratch_memory()
    {
        MultiUseSandbox sandbox = BuildRecorded(
            b => b.WithConfiguration(new SandboxConfiguration { ScratchSize = 8 << 20, InputBufferSize = 3 << 20, OutputBufferSize = 2 << 20 }),
            out IMemoryRegion scratch);
        using Snapshot snapshot = sandbox.TakeSnapshot();
        byte[] expected = Fresh(snapshot);

        foreach (Action<MultiUseSandbox> use in new Action<MultiUseSandbox>[]
        {
            static s => s.Call("PlantScratch", Plant),
            static s => s.Call<int>("SumBytes", Filled(2 << 20)),
            static s => s.Call<byte[]>("MakeBytes", 50_000, 0x5A),
            static s => s.Call<int>("UseStack", 1000),
        })
        {
            Try(use, sandbox);
            sandbox.Restore(snapshot);
            AssertSame(expected, scratch, "large");
        }
    }

    private static byte[] Filled(int size)
    {
        byte[] bytes = new byte[size];
        bytes.AsSpan().Fill(0x5A);
        return bytes;
    }

    private static void Try(Action<MultiUseSandbox> use, MultiUseSandbox sandbox)
    {
        try
        {
            use(sandbox);
        }
        catch (Exception exception) when (exception is HyperlightException or ExecutionCanceledException)
        {
            // However it ends.
        }
    }

    private static void AssertSame(byte[] expected, IMemoryRegion scratch, string after)
    {
        Assert.That(
            BitConverter.ToUInt64(scratch.GetSpan((nuint)(expected.Length - SeedOffset), sizeof(ulong))) >> 32, Is.EqualTo(1), "a seed waits");
        byte[] actual = Comparable(scratch);
        int same = actual.AsSpan().CommonPrefixLength(expected);
        if (same < expected.Length)
        {
            Assert.Fail($"After {after}: offset 0x{same:X} is 0x{actual[same]:X2} and not 0x{expected[same]:X2}.");
        }
    }

    /// <summary>A sandbox, and its scratch memory.</summary>
    private MultiUseSandbox BuildRecorded(Func<SandboxBuilder, SandboxBuilder> configure, out IMemoryRegion scratch)
    {
        MultiUseSandbox? sandbox = null;
        sandbox = Build(b => configure(b)
            .WithHypervisor(_driver)
            .WithHostFunction("HostEchoInt", (int x) =>
            {
                // Not so that most calls of host functions are cancelled.
                if (x == 1)
                {
                    sandbox?.InterruptHandle.Cancel();
                }

                return x;
            })
            .WithHostFunction("HostEchoBytes", (byte[] x) => x)
            .WithHostFunction("Fail", int () => throw new InvalidOperationException("as it should")));
        scratch = _driver.Regions[^1];
        return sandbox;
    }

    /// <summary>The scratch memory of a sandbox that was just made.</summary>
    private byte[] Fresh(Snapshot snapshot)
    {
        BuildRecorded(b => b.WithSnapshot(snapshot), out IMemoryRegion scratch);
        return Comparable(scratch);
    }

    /// <summary>Scratch memory without the seed for the guest's C runtime, which is another one after each restore.</summary>
    private static byte[] Comparable(IMemoryRegion scratch)
    {
        byte[] bytes = new byte[(int)scratch.Size];
        scratch.Read(0, bytes);
        bytes.AsSpan(bytes.Length - SeedOffset, sizeof(ulong)).Clear();
        return bytes;
    }
}
