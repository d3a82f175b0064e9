using System.Diagnostics;
using System.Runtime.CompilerServices;
using Hyperlight.Abstractions;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Tests.Integration;

/// <summary>What an application drops without disposing it is given back once the garbage collector has found it.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class DroppedObjectTests(TestTarget target)
{
    private const int Count = 3;
    private const ulong FileAddress = 0x1000_0000;
    private const ulong HostAddress = 0x2000_0000;

    /// <summary>Image and scratch memory.</summary>
    private const int RegionsOfASandbox = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly Dictionary<string, Action<DroppedObjectTests>> Dropped = new()
    {
        ["a sandbox"] = static t => t.Builder().Build(),
        ["a sandbox that was called"] = static t => t.NewSandbox(),
        ["a sandbox with a mapped file and host memory"] = static t => t.WithMappings(t.NewSandbox()),
        ["a sandbox with init data and a table of mappings"] = static t => t.Builder()
            .WithInitData(new byte[100])
            .WithConfiguration(new SandboxConfiguration { FileMappingTable = true })
            .WithFileMapping(t._file, FileAddress)
            .Build(),
        ["a poisoned sandbox"] = static t => Poison(t.WithMappings(t.NewSandbox())),
        ["a cancelled sandbox"] = static t => Cancel(t.NewSandbox()),
        ["an uninitialized sandbox"] = static t => t.Builder().BuildUninitialized(),
        ["an uninitialized sandbox with a file"] = static t => t.Builder().BuildUninitialized().MapFile(t._file, FileAddress),
        ["a prepared file"] = static t => t._counter.PrepareFileMapping(t._file, FileAddress),
        ["a builder with a file"] = static t => t.Builder().WithFileMapping(t._file, FileAddress).Build(),
        ["a snapshot and its sandbox"] = static t => t.NewSandbox().TakeSnapshot(),
        ["a restored sandbox"] = static t => Restore(t.NewSandbox()),
        ["a snapshot of a mapped file"] = static t => t.WithMappings(t.NewSandbox()).TakeSnapshot(),
        ["a builder with a snapshot"] = static t => t.Builder().WithSnapshot(t.NewSandbox().TakeSnapshot()),
        ["a sandbox from a snapshot"] = static t => t.Builder().WithSnapshot(t.NewSandbox().TakeSnapshot()).Build(),
        ["a loaded snapshot and a sandbox from it"] = static t => t.SaveAndLoad(),
        ["a factory and its sandbox"] = static t => t.UseFactory(),
    };

    private RegionCounter _counter = null!;
    private TestFiles _files = null!;
    private string _file = null!;
    private int _released;

    private static IEnumerable<string> Kinds => Dropped.Keys;

    [SetUp]
    public void Create()
    {
        _counter = new RegionCounter(target.Hypervisor);
        _files = new TestFiles();
        _file = _files.New("file", 3 * GuestPage.Size);
        _released = 0;
    }

    [TearDown]
    public void DeleteFiles() => _files.Dispose();

    [TestCaseSource(nameof(Kinds))]
    public void Is_given_back(string kind)
    {
        for (int i = 0; i < Count; i++)
        {
            Drop(Dropped[kind]);
        }

        AssertRegions(0);
    }

    [Test]
    public void Memory_of_the_application_is_handed_back()
    {
        Drop(static t => t.WithMappings(t.NewSandbox()));
        Drop(static t => Poison(t.WithMappings(t.NewSandbox())));

        AssertRegions(0);
        Collect(() => Volatile.Read(ref _released) == 2);
        Assert.That(_released, Is.EqualTo(2));
    }

    [Test]
    public void Memory_shared_with_dropped_sandboxes_remains_for_the_others()
    {
        UseAndDispose();
        AssertRegions(0);
    }

    [Test]
    public void A_snapshot_outlives_dropped_sandboxes()
    {
        Snapshot snapshot = KeepSnapshot();
        AssertRegions(1);

        using (MultiUseSandbox sandbox = Builder().WithSnapshot(snapshot).Build())
        {
            Assert.That(sandbox.Call<int>("IncrementCounter"), Is.EqualTo(2));
        }

        snapshot.Dispose();
        AssertRegions(0);
    }

    [Test]
    public void A_disposed_sandbox_does_not_keep_memory_shared_with_a_dropped_one()
    {
        DropAndDispose();

        AssertRegions(0);
    }

    [Test]
    [Platform("Linux", Reason = "Counts descriptors through /proc.")]
    public void Descriptors_are_closed()
    {
        AssertRegions(0);
        ProcessResources before = ProcessResources.CountAfterCollection();
        for (int i = 0; i < 20; i++)
        {
            Drop(static t => t.WithMappings(t.NewSandbox()));
        }

        AssertRegions(0);
        ProcessResources after = ProcessResources.CountAfterCollection();
        Assert.That(after.KvmDescriptors, Is.EqualTo(before.KvmDescriptors));
        Assert.That(after.Descriptors, Is.LessThan(before.Descriptors + 20), "the runtime opens a few of its own");
    }

    private static void Poison(MultiUseSandbox sandbox) =>
        Assert.That(() => sandbox.Call("NullWrite"), Throws.TypeOf<GuestAbortedException>());

    private static void Cancel(MultiUseSandbox sandbox)
    {
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(10));
        Assert.That(() => sandbox.Call("SpinForever", [], source.Token), Throws.TypeOf<ExecutionCanceledException>());
    }

    private static void Restore(MultiUseSandbox sandbox)
    {
        Snapshot snapshot = sandbox.TakeSnapshot();
        sandbox.Call<int>("IncrementCounter");
        sandbox.Restore(snapshot);
    }

    // In methods of their own: a local variable may keep an object alive until its method ends.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Drop(Action<DroppedObjectTests> create) => create(this);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void UseAndDispose()
    {
        using MultiUseSandbox living = KeepOne();
        AssertRegions(RegionsOfASandbox);
        Assert.That(living.Call<int>("IncrementCounter"), Is.EqualTo(2));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private MultiUseSandbox KeepOne()
    {
        Snapshot snapshot = KeepSnapshot();
        Builder().WithSnapshot(snapshot).Build().Call<int>("IncrementCounter");
        return Builder().WithSnapshot(snapshot).Build();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Snapshot KeepSnapshot() => NewSandbox().TakeSnapshot();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void DropAndDispose()
    {
        MultiUseSandbox dropped = NewSandbox();
        using MultiUseSandbox disposed = NewSandbox();
        Assert.That(dropped.Call<int>("Add", 1, 2) + disposed.Call<int>("Add", 1, 2), Is.EqualTo(6));
    }

    private SandboxBuilder Builder() => target.Builder().WithHypervisor(_counter);

    private MultiUseSandbox NewSandbox()
    {
        MultiUseSandbox sandbox = Builder().Build();
        Assert.That(sandbox.Call<int>("IncrementCounter"), Is.EqualTo(1));
        return sandbox;
    }

    private MultiUseSandbox WithMappings(MultiUseSandbox sandbox)
    {
        sandbox.MapFile(_file, FileAddress);
        sandbox.Call("MapPhysical", FileAddress, 3UL * GuestPage.Size);
        Assert.That(sandbox.Call<ulong>("Peek", FileAddress), Is.EqualTo(TestFiles.Word(0)));
        Memory<byte> memory = TestFiles.PageAligned(GuestPage.Size);
        System.Buffers.MemoryHandle pin = memory.Pin();
        sandbox.MapRegion(NewHostMemory(memory, pin), HostAddress);
        return sandbox;
    }

    private unsafe HostMemoryRegion NewHostMemory(Memory<byte> memory, System.Buffers.MemoryHandle pin) => HostMemoryRegion.FromPointer(
        (nint)pin.Pointer,
        (nuint)memory.Length,
        () =>
        {
            pin.Dispose();
            Interlocked.Increment(ref _released);
        });

    private void SaveAndLoad()
    {
        string directory = Path.Combine(_files.Directory, "saved");
        NewSandbox().TakeSnapshot().Save(directory);
        Snapshot loaded = Snapshot.Load(directory, Snapshot.DefaultTag, _counter);
        Assert.That(Builder().WithSnapshot(loaded).Build().Call<int>("IncrementCounter"), Is.EqualTo(2));
    }

    private void UseFactory()
    {
        IServiceCollection services = new ServiceCollection().AddSingleton<IHypervisor>(_counter).AddHyperlight().Services;
        ISandboxFactory factory = services.BuildServiceProvider().GetRequiredService<ISandboxFactory>();
        MultiUseSandbox sandbox = factory.CreateBuilder().WithGuest(target.Binary).Build();
        Assert.That(sandbox.Call<int>("Add", 1, 2), Is.EqualTo(3));
    }

    /// <summary>
    /// Collects garbage until something holds. What a finalizer releases may have a finalizer of its own, and a thread that was given an object
    /// may hold it for a moment.
    /// </summary>
    private static void Collect(Func<bool> condition)
    {
        for (long start = Stopwatch.GetTimestamp(); !condition() && Stopwatch.GetElapsedTime(start) < Patience;)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private void AssertRegions(int expected)
    {
        Collect(() => _counter.Regions == expected);
        Assert.That(_counter.Regions, Is.EqualTo(expected), "regions that are not released");
    }
}
