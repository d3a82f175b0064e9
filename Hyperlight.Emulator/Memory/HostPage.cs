using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// One page of guest memory in the host. Every access names an offset inside the page and a size that ends
/// inside it, which <see cref="Fits"/> says; so nothing outside the page is reachable.
/// </summary>
/// <remarks>
/// Unsafe because the memory is outside the managed heap or pinned, a span cannot be kept in a
/// translation cache, and each region's handle is held for as long as a page of it can be reached.
/// </remarks>
internal readonly unsafe struct HostPage(nint address)
{
    public const int Shift = 12;
    public const int Size = 1 << Shift;
    public const ulong OffsetMask = Size - 1;

    private readonly byte* _start = (byte*)address;

    /// <summary>Identifies the page, also when it is mapped at several guest addresses.</summary>
    public ulong Identity => (ulong)_start;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Fits(ulong address, int size) => (address & OffsetMask) <= (ulong)(Size - size);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Read(ulong address, int size)
    {
        byte* at = _start + (address & OffsetMask);
        return size switch
        {
            8 => Unsafe.ReadUnaligned<ulong>(at),
            4 => Unsafe.ReadUnaligned<uint>(at),
            2 => Unsafe.ReadUnaligned<ushort>(at),
            _ => *at,
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(ulong address, ulong value, int size)
    {
        byte* at = _start + (address & OffsetMask);
        switch (size)
        {
            case 8: Unsafe.WriteUnaligned(at, value); break;
            case 4: Unsafe.WriteUnaligned(at, (uint)value); break;
            case 2: Unsafe.WriteUnaligned(at, (ushort)value); break;
            default: *at = (byte)value; break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<byte> ReadVector(ulong address) => Vector128.Load(_start + (address & OffsetMask));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteVector(ulong address, Vector128<byte> value) => value.Store(_start + (address & OffsetMask));

    /// <summary>The page from an offset to its end.</summary>
    public Span<byte> From(ulong address)
    {
        int offset = (int)(address & OffsetMask);
        return new Span<byte>(_start + offset, Size - offset);
    }

    /// <summary>A part of the page.</summary>
    public Span<byte> Slice(ulong address, int length) => From(address)[..length];
}
