using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Soak;

/// <summary>What all threads of a soak share: a driver, a guest, files, a directory of saved snapshots, and snapshots.</summary>
internal sealed class SoakScene : IDisposable
{
    public const int FileCount = 4;

    private const int FileUnit = 64 << 10;
    private const int MostShared = 4;

    private readonly TestFiles _files = new();
    private readonly Lock _lock = new();
    private readonly List<CheckedSnapshot> _shared = [];
    private readonly byte[][] _contents = new byte[FileCount][];

    public SoakScene(IHypervisor hypervisor, int seed)
    {
        Hypervisor = hypervisor;
        var random = new Random(seed);
        Plant = (ulong)random.NextInt64();
        for (int i = 0; i < FileCount; i++)
        {
            // The last page is not whole.
            _contents[i] = new byte[((i + 1) * FileUnit) - 100];
            random.NextBytes(_contents[i]);
            _files.New($"file{i}", _contents[i]);
        }
    }

    public IHypervisor Hypervisor { get; }

    /// <summary>The value that every guest plants wherever it can, and that no guest may find which has not planted it.</summary>
    public ulong Plant { get; }

    public string Directory => _files.Directory;

    public GuestBinary Guest { get; } =
        GuestBinary.FromFile(Path.Combine(AppContext.BaseDirectory, "guests", TestTargets.GeneralGuest));

    public string FilePath(int file) => Path.Combine(Directory, $"file{file}");

    public ReadOnlySpan<byte> FileContent(int file) => _contents[file];

    /// <summary>A new file for one use.</summary>
    public string NewFile(string name, int length) => _files.New(name, length);

    /// <summary>A builder with everything that the guest needs. Builders are not for several threads.</summary>
    public SandboxBuilder Builder() => new SandboxBuilder()
        .WithHypervisor(Hypervisor)
        .WithGuest(Guest)
        .WithPrint(static _ => { })
        .WithDebugPrint(static _ => { })
        .WithHostFunction("HostEchoInt", (int x) => x);

    /// <summary>Shows a snapshot to the other threads, in the place of one that they have seen.</summary>
    /// <returns>The snapshot that no thread sees any more.</returns>
    public CheckedSnapshot? Share(CheckedSnapshot snapshot, Random random)
    {
        lock (_lock)
        {
            if (_shared.Count < MostShared)
            {
                _shared.Add(snapshot);
                return null;
            }

            int place = random.Next(MostShared);
            CheckedSnapshot former = _shared[place];
            _shared[place] = snapshot;
            return former;
        }
    }

    /// <summary>A snapshot of whatever thread, which may be disposed at any moment.</summary>
    public CheckedSnapshot? PickShared(Random random)
    {
        lock (_lock)
        {
            return _shared.Count == 0 ? null : _shared[random.Next(_shared.Count)];
        }
    }

    /// <summary>Drops the snapshots that the threads share, half of them without disposing them.</summary>
    public void DropShared()
    {
        lock (_lock)
        {
            for (int i = 0; i < _shared.Count; i += 2)
            {
                _shared[i].Snapshot.Dispose();
            }

            _shared.Clear();
        }
    }

    public void Dispose() => _files.Dispose();
}
