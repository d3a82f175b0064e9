using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>Memory of which a test says when the operating system refuses something about it.</summary>
internal sealed class StubbornRegion(IMemoryRegion inner) : IMemoryRegion
{
    /// <summary>Thrown when memory is cleared; <see langword="null"/> for no failure.</summary>
    public Exception? ClearFailure { get; set; }

    /// <summary>Thrown when memory is written; <see langword="null"/> for no failure.</summary>
    public Exception? WriteFailure { get; set; }

    /// <summary>Thrown when memory is made read-only; <see langword="null"/> for no failure.</summary>
    public Exception? ReadOnlyFailure { get; set; }

    /// <summary>Thrown when memory is read behind <see cref="ReadableSize"/>; <see langword="null"/> for no failure.</summary>
    public Exception? ReadFailure { get; set; }

    /// <summary>What someone else does meanwhile, once, when memory is read.</summary>
    public Action? Meanwhile { get; set; }

    /// <summary>How much of the memory can be read nevertheless.</summary>
    public nuint ReadableSize { get; set; }

    public nuint Size => inner.Size;

    public MemoryRegionKind Kind => inner.Kind;

    public SafeHandle Handle => inner.Handle;

    public void Read(nuint offset, Span<byte> destination)
    {
        ThrowIf(offset >= ReadableSize ? ReadFailure : null);
        Action? meanwhile = Meanwhile;
        Meanwhile = null;
        meanwhile?.Invoke();
        inner.Read(offset, destination);
    }

    public void Write(nuint offset, ReadOnlySpan<byte> source)
    {
        ThrowIf(WriteFailure);
        inner.Write(offset, source);
    }

    public void Clear(nuint offset, nuint length)
    {
        ThrowIf(ClearFailure);
        inner.Clear(offset, length);
    }

    public Span<byte> GetSpan(nuint offset, int length) => inner.GetSpan(offset, length);

    public void MakeReadOnly()
    {
        ThrowIf(ReadOnlyFailure);
        inner.MakeReadOnly();
    }

    public void Dispose() => inner.Dispose();

    private static void ThrowIf(Exception? failure)
    {
        if (failure is not null)
        {
            throw failure;
        }
    }
}
