using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Compiles regions to machine code of x64 hosts. Safe for all threads.</summary>
/// <param name="mostBytes">The most memory that the code of all machines may take.</param>
/// <param name="verifies">Whether the code of each region is verified before it is used.</param>
internal sealed class EmittingCompiler(long mostBytes, bool verifies) : IRegionCompiler
{
    /// <summary>The buffer of the thread. The emitter itself is not kept, as it knows blocks, and they the code of their machine.</summary>
    [ThreadStatic]
    private static Assembler? _assembler;

    private readonly CodeArena _arena = new(mostBytes);

    /// <summary>How many predictions the code of all regions uses: they take turns with those that there are.</summary>
    private int _predictions;

    /// <summary>Why this host cannot execute emitted code, or <see langword="null"/>.</summary>
    public static string? WhyUnusable { get; } = FindWhyUnusable();

    public int HotThreshold => 24;

    public bool UsesPages => true;

    /// <summary>The memory for code that is in use.</summary>
    public long Size => _arena.Size;

    public RegionCode? Compile(List<RegionNode> nodes, bool isUser, out bool isTooLarge)
    {
        var emitter = new RegionEmitter(_assembler ??= new Assembler(), _predictions);
        ReadOnlySpan<byte> code = emitter.Emit(nodes, isUser, out EmittedLayout layout, out EmittedOp[] ops);
        _predictions = emitter.NextPrediction;
        if (verifies)
        {
            CodeVerifier.Verify(code, layout);
        }

        isTooLarge = code.Length > CodeChunk.Size;
        return !isTooLarge && _arena.TryAdd(code) is { } place ? new EmittedCode(
            place.Chunk, place.Address, code.Length, layout, ops, emitter.Uses.Vectors, emitter.Uses.Floats) : null;
    }

    public void Clear() => _arena.Clear();

    /// <summary>Why this process cannot execute emitted code.</summary>
    private static string? FindWhyUnusable()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return $"this host is not x64 but {RuntimeInformation.ProcessArchitecture}";
        }

        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows())
        {
            return "this operating system is neither Linux nor Windows";
        }

        using CodeChunk? chunk = CodeChunk.TryCreate(static () => { }, out int error);
        return chunk is null ? $"the operating system gives no executable memory (error {error})" : null;
    }
}
