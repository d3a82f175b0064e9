using System.Runtime.CompilerServices;
using Hyperlight.Emulator.Compilation.X64;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>The memory for emitted code is bounded, never writable and executable at one address, and freed with its last user.</summary>
[TestFixture, NonParallelizable]
internal sealed class CodeArenaTests
{
    private const int FewChunks = 4;

    [SetUp]
    public void Require() => EmittingHost.Require();

    [Test]
    public void Code_is_where_it_was_placed()
    {
        var arena = new CodeArena(CodeChunk.Size);
        (CodeChunk Chunk, nint Address) first = arena.TryAdd([1, 2, 3])!.Value;
        (CodeChunk Chunk, nint Address) second = arena.TryAdd([4, 5])!.Value;

        Assert.That(second.Chunk, Is.SameAs(first.Chunk), "there is room for both");
        Assert.That(Read(first.Address, 3), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(Read(second.Address, 2), Is.EqualTo(new byte[] { 4, 5 }));
        GC.KeepAlive((first.Chunk, second.Chunk));
    }

    [TestCase(0, true)]
    [TestCase(1, false)]
    public void Code_is_placed_where_all_of_it_fits(int more, bool fits)
    {
        const int alignment = 16;
        var arena = new CodeArena(FewChunks * CodeChunk.Size);
        CodeChunk first = arena.TryAdd([1])!.Value.Chunk;
        CodeChunk second = arena.TryAdd(new byte[CodeChunk.Size - alignment + more])!.Value.Chunk;

        Assert.That(ReferenceEquals(first, second), Is.EqualTo(fits));
    }

    [Test]
    public void No_address_is_writable_and_executable()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("What is mapped is read from /proc.");
        }

        var arena = new CodeArena(CodeChunk.Size);
        (CodeChunk Chunk, nint Address) place = arena.TryAdd([0xC3])!.Value;
        string[] maps = [.. File.ReadAllLines("/proc/self/maps").Where(line => line.Contains("hyperlight-code", StringComparison.Ordinal))];
        GC.KeepAlive(place.Chunk);

        Assert.That(maps, Has.Length.GreaterThanOrEqualTo(2));
        Assert.That(maps.Where(line => line.Contains("rwx", StringComparison.Ordinal)), Is.Empty);
        Assert.That(maps.Select(line => line.Split(' ')[1]).Distinct(), Is.EquivalentTo(new[] { "rw-s", "r-xs" }));
    }

    [Test]
    public void Code_is_bounded_and_freed_with_its_last_user()
    {
        var arena = new CodeArena(FewChunks * CodeChunk.Size);

        Assert.That(Fill(arena), Is.EqualTo(FewChunks));
        Assert.That(arena.TryAdd(new byte[CodeChunk.Size]), Is.Null);
        Assert.That(arena.Size, Is.EqualTo(FewChunks * CodeChunk.Size));
        arena.Clear();
        for (int i = 0; i < 10 && arena.Size != 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.That(arena.Size, Is.Zero);
        Assert.That(arena.TryAdd([0xC3]), Is.Not.Null);
    }

    [Test]
    public void Code_that_no_chunk_has_room_for_is_refused()
    {
        var arena = new CodeArena(CodeChunk.Size);

        Assert.That(() => arena.TryAdd(new byte[CodeChunk.Size + 1]), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(arena.Size, Is.Zero);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Fill(CodeArena arena)
    {
        var chunks = new List<CodeChunk>();
        while (chunks.Count < 2 * FewChunks && arena.TryAdd(new byte[CodeChunk.Size]) is { } place)
        {
            chunks.Add(place.Chunk);
        }

        return chunks.Distinct().Count();
    }

    private static unsafe byte[] Read(nint address, int size) => new ReadOnlySpan<byte>((void*)address, size).ToArray();
}
