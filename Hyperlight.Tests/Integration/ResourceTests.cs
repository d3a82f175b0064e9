namespace Hyperlight.Tests.Integration;

/// <summary>Creating, calling and disposing leaves nothing behind, and a warm call allocates nothing.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
[Platform("Linux", Reason = "Counts descriptors and mappings through /proc.")]
internal sealed class ResourceTests(TestTarget target)
{
    [Test]
    public void A_thousand_sandboxes_leave_nothing_behind()
    {
        // The first ones warm up pools, caches, the JIT and the garbage collector's budget.
        Cycle(400);
        ProcessResources before = ProcessResources.CountAfterCollection();

        // The collector's own memory comes and goes by megabytes. A leak of a single page for each sandbox adds four in
        // every round; without one, some round adds less.
        const int rounds = 4;
        const int pagePerSandbox = 1000 * 4;
        long growth = long.MaxValue;
        ProcessResources after = before;
        for (int round = 0; round < rounds && growth >= pagePerSandbox; round++)
        {
            ProcessResources start = after;
            Cycle(1000);
            after = ProcessResources.CountAfterCollection();
            growth = after.ResidentKilobytes - start.ResidentKilobytes;
            TestContext.Out.WriteLine($"round {round}: before {start}, after {after}");
        }

        Assert.That(growth, Is.LessThan(pagePerSandbox), "kilobytes of resident memory in every round");
        Assert.That(after.KvmDescriptors, Is.EqualTo(before.KvmDescriptors));
        Assert.That(after.Descriptors, Is.LessThan(before.Descriptors + 20), "the runtime opens a few of its own");

        // A sandbox has seven mappings.
        Assert.That(after.Mappings, Is.LessThan(before.Mappings + 50));
    }

    [Test]
    public void Failed_sandboxes_leave_nothing_behind()
    {
        FailingCycle(20);
        ProcessResources before = ProcessResources.CountAfterCollection();

        FailingCycle(100);

        ProcessResources after = ProcessResources.CountAfterCollection();
        TestContext.Out.WriteLine($"before {before}, after {after}");
        Assert.That(after.KvmDescriptors, Is.EqualTo(before.KvmDescriptors));
        Assert.That(after.Descriptors, Is.LessThan(before.Descriptors + 20), "the runtime opens a few of its own");
        Assert.That(after.Mappings, Is.LessThan(before.Mappings + 50));
    }

    [Test]
    public void A_warm_call_of_primitives_allocates_nothing()
    {
        using MultiUseSandbox sandbox = target.Builder().Build();
        sandbox.WithHostFunction("HostEchoInt", (int x) => x);
        long calls = Measure(() => sandbox.Call<int>("Add", 1, 2));
        long limitedCalls = Measure(() => sandbox.Call<int>("Add", [1, 2], TimeSpan.FromHours(1)));
        var budget = new CallBudget { WallClockTime = TimeSpan.FromHours(1), CpuTime = TimeSpan.FromHours(1), HostCalls = 10, LogRecords = 10, PrintedBytes = 10 };
        long callsWithBudget = Measure(() => sandbox.Call<int>("RoundTripInt", [1], budget));
        long statistics = Measure(() => _ = sandbox.LastCall.HostCalls);
        long hostCalls = Measure(() => sandbox.Call<int>("RoundTripInt", 1));

        TestContext.Progress.WriteLine($"{target.Hypervisor.Name}: a warm Call<int> of two ints allocates {calls} bytes, one with a host call {hostCalls} bytes");
        Assert.That(calls, Is.Zero);
        Assert.That(limitedCalls, Is.Zero, "with a time limit");
        Assert.That(callsWithBudget, Is.Zero, "with a budget");
        Assert.That(statistics, Is.Zero, "what a call has used");
        Assert.That(hostCalls, Is.Zero);
    }

    [Test]
    public void A_warm_call_that_writes_bytes_into_memory_of_the_caller_allocates_nothing()
    {
        using MultiUseSandbox sandbox = target.Builder().Build();
        byte[] sent = new byte[4096];
        byte[] destination = new byte[4096];
        sent.AsSpan().Fill(7);

        Assert.That(Measure(() => sandbox.CallInto("EchoBytes", destination, sent)), Is.Zero);
        Assert.That(destination, Is.EqualTo(sent));
        Assert.That(Measure(() => sandbox.Call<GuestValue>("Add", 1, 2)), Is.Zero, "a scalar whose type is not known");
        Assert.That(Measure(() => sandbox.Call("Add", 1, 2)), Is.Zero, "a discarded result");
    }

    /// <summary>Other sandboxes of the driver have run the guest before, as is usual.</summary>
    [Test]
    public void A_sandbox_that_is_built_and_disposed_allocates_little()
    {
        if (target.Variant.Length > 0)
        {
            Assert.Ignore("Simulations allocate for themselves, and variants of the emulator compile much earlier than the driver of an application.");
        }

        SandboxBuilder builder = target.Builder().WithHostFunction("HostEchoInt", (int x) => x);
        long fromElf = LeastOf(() => builder.Build().Dispose());
        using MultiUseSandbox sandbox = builder.Build();
        sandbox.Call<int>("Add", 1, 2);
        using Snapshot snapshot = sandbox.TakeSnapshot();
        SandboxBuilder starts = target.Builder().WithHostFunction("HostEchoInt", (int x) => x).WithSnapshot(snapshot);
        long fromSnapshot = LeastOf(() => starts.Build().Dispose());

        TestContext.Progress.WriteLine($"{target.Driver}: a sandbox from ELF allocates {fromElf} bytes, one from a snapshot {fromSnapshot} bytes");
        (long mostFromElf, long mostFromSnapshot) = target.Hypervisor.Name == "emulator" ? (30_720, 4_096) : (5_120, 3_840);
        Assert.That(fromElf, Is.LessThanOrEqualTo(mostFromElf));
        Assert.That(fromSnapshot, Is.LessThanOrEqualTo(mostFromSnapshot));
    }

    [Test]
    public void A_restore_allocates_nothing()
    {
        using MultiUseSandbox sandbox = target.Builder().WithHostFunction("HostEchoInt", (int x) => x).Build();
        using Snapshot snapshot = sandbox.TakeSnapshot();

        Assert.That(Measure(() => sandbox.Restore(snapshot)), Is.Zero);
    }

    /// <summary>What a warm run allocates, without what the runtime does now and then.</summary>
    private static long LeastOf(Action run)
    {
        long least = long.MaxValue;
        for (int i = 0; i < 20; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            run();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    private static long Measure(Action call)
    {
        const int count = 200;
        for (int i = 0; i < count; i++)
        {
            call();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < count; i++)
        {
            call();
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / count;
    }

    private void Cycle(int count)
    {
        SandboxBuilder builder = target.BuilderFor("hello.elf").WithHostFunction("GetWeekday", () => "Monday");
        for (int i = 0; i < count; i++)
        {
            using MultiUseSandbox sandbox = builder.Build();
            Assert.That(sandbox.Call<string>("SayHello", "World"), Is.EqualTo("Hello, World! Today is Monday."));
        }
    }

    private void FailingCycle(int count)
    {
        for (int i = 0; i < count; i++)
        {
            using MultiUseSandbox sandbox = target.Builder().Build();
            Assert.That(() => sandbox.Call("NullWrite"), Throws.TypeOf<GuestAbortedException>());
            Assert.That(
                () => target.Builder().WithGuest(TinyGuest.Assemble(code => code.ud2())).Build(),
                Throws.TypeOf<GuestInitializationException>());
        }
    }
}
