using Hyperlight.Emulator;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>
/// What runs in a process with a small limit on the garbage collector's heap: each operation whose need grows with a size that
/// a guest, a file or a configuration has, when next to nothing is left of the limit.
/// </summary>
internal sealed class MemoryShortage : IDisposable
{
    /// <summary>The limit, as the runtime reads it: 192 MiB.</summary>
    public const string Limit = "C000000";

    private const int Piece = 1 << 20;

    /// <summary>For what an operation needs whatever the sizes are.</summary>
    private const int PiecesLeft = 12;

    /// <summary>More than is left.</summary>
    private const int Large = 20 << 20;

    private const ulong FileAddress = 0x4_0000_0000;

    /// <summary>What cannot succeed with so little memory; the others may need less than is left.</summary>
    public static IReadOnlyList<string> NeedsMemory { get; } =
    [
        "GuestBinary.FromFile", "GuestBinary.FromBytes", "SandboxBuilder.Build",
        "MultiUseSandbox.Call with a large result", "MultiUseSandbox.TakeSnapshot", "Snapshot.Save", "Snapshot.Load",
    ];

    private readonly TestFiles _files = new();
    private readonly List<IDisposable> _owned = [];
    private readonly EmulatorHypervisor _hypervisor = new();
    private readonly GuestBinary _guest = GuestBinary.FromFile(Path.Combine(AppContext.BaseDirectory, "guests", TestTargets.GeneralGuest));

    /// <summary>Page tables of 16 MiB.</summary>
    private static SandboxConfiguration LargeTables => new() { ScratchSize = 8UL << 30 };

    private static SandboxConfiguration LargeMessages => new()
    {
        InputBufferSize = 2 * Large,
        OutputBufferSize = 2 * Large,
        HeapSize = 4 * (ulong)Large,
    };

    /// <summary>Each operation: its name, and what is done; it returns what is to be done when memory is short.</summary>
    private IEnumerable<(string Name, Func<Action> Prepare)> Operations =>
    [
        ("GuestBinary.FromFile", () =>
        {
            string path = _files.NewSparse("guest", 1L << 29);
            return () => GuestBinary.FromFile(path);
        }),
        ("GuestBinary.FromBytes", () =>
        {
            byte[] guest = [.. File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "guests", TestTargets.GeneralGuest)), .. new byte[Large]];
            return () => GuestBinary.FromBytes(guest);
        }),
        ("SandboxBuilder.Build", () => () => Builder(LargeTables).Build()),
        ("SandboxBuilder.BuildUninitialized", () => () => Builder(new SandboxConfiguration { ScratchSize = SandboxConfiguration.MaximumScratchSize }).BuildUninitialized()),
        ("UninitializedSandbox.Evolve", () =>
        {
            UninitializedSandbox sandbox = Own(Builder(LargeTables).BuildUninitialized());
            return () => sandbox.Evolve();
        }),
        ("SandboxBuilder.Build from a snapshot", () =>
        {
            Snapshot snapshot = Own(Own(Builder(LargeTables).Build()).TakeSnapshot());
            return () => new SandboxBuilder().WithHypervisor(_hypervisor).WithSnapshot(snapshot).Build();
        }),
        ("MultiUseSandbox.Call with a large result", () =>
        {
            MultiUseSandbox sandbox = Own(Builder(LargeMessages).Build());
            return () => sandbox.Call<byte[]>("MakeBytes", Large, 1);
        }),
        ("MultiUseSandbox.TakeSnapshot", () =>
        {
            MultiUseSandbox sandbox = Own(Builder(LargeTables).Build());
            return () => sandbox.TakeSnapshot();
        }),
        ("MultiUseSandbox.Restore", () =>
        {
            MultiUseSandbox sandbox = Own(Builder(LargeTables).Build());
            Snapshot snapshot = Own(sandbox.TakeSnapshot());
            sandbox.Call("ReturnNothing");
            return () => sandbox.Restore(snapshot);
        }),
        ("Snapshot.Save", () =>
        {
            Snapshot snapshot = Own(Own(Builder(LargeTables).Build()).TakeSnapshot());
            return () => snapshot.Save(Path.Combine(_files.Directory, "saved"));
        }),
        ("Snapshot.Load", () =>
        {
            string path = Path.Combine(_files.Directory, "loaded");
            using (MultiUseSandbox sandbox = Builder(LargeTables).Build())
            {
                using Snapshot snapshot = sandbox.TakeSnapshot();
                snapshot.Save(path);
            }

            return () => Snapshot.Load(path, hypervisor: _hypervisor);
        }),
        ("MultiUseSandbox.MapFile", () =>
        {
            string path = _files.NewSparse("mapped", 40L << 30);
            MultiUseSandbox sandbox = Own(Builder(new SandboxConfiguration()).Build());
            return () => sandbox.MapFile(path, FileAddress);
        }),
        ("UninitializedSandbox.MapFile", () =>
        {
            string path = _files.NewSparse("prepared", 40L << 30);
            UninitializedSandbox sandbox = Own(Builder(new SandboxConfiguration()).BuildUninitialized());
            return () => sandbox.MapFile(path, FileAddress);
        }),
    ];

    /// <summary>Prints a line for each operation: its name and how it ended.</summary>
    public static void Run()
    {
        using var shortage = new MemoryShortage();
        foreach ((string name, Func<Action> prepare) in shortage.Operations)
        {
            Console.WriteLine($"{name}: {End(prepare())}");
            shortage._owned.ForEach(static o => o.Dispose());
            shortage._owned.Clear();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    public void Dispose() => _files.Dispose();

    private SandboxBuilder Builder(SandboxConfiguration configuration) =>
        new SandboxBuilder().WithHypervisor(_hypervisor).WithGuest(_guest).WithConfiguration(configuration);

    private T Own<T>(T disposable)
        where T : IDisposable
    {
        _owned.Add(disposable);
        return disposable;
    }

    private static string End(Action operation)
    {
        List<byte[]> ballast = TakeMemory();
        try
        {
            operation();
            return "succeeds";
        }
        catch (Exception exception)
        {
            return exception.GetType().Name;
        }
        finally
        {
            ballast.Clear();
        }
    }

    private static List<byte[]> TakeMemory()
    {
        var ballast = new List<byte[]>(1024);
        try
        {
            while (true)
            {
                ballast.Add(new byte[Piece]);
            }
        }
        catch (OutOfMemoryException)
        {
            ballast.RemoveRange(ballast.Count - PiecesLeft, PiecesLeft);
            GC.Collect();
            return ballast;
        }
    }
}
