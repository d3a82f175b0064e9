using System.Buffers.Binary;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Access to more bytes than a register holds: all of it happens, or nothing.</summary>
internal sealed partial class LinearMemory
{
    /// <summary>Looks whether the pages of a range can be written, before the first byte is.</summary>
    public bool PrepareStore(ulong address, int length)
    {
        if (!LinearAddress.IsCanonicalRange(address, length))
        {
            return pending.AddressFault();
        }

        ulong last = address + (ulong)length - 1;
        for (ulong at = address; ; at = (at | HostPage.OffsetMask) + 1)
        {
            if (!LoadForStore(at, 1, out _))
            {
                return false;
            }

            if ((at | HostPage.OffsetMask) == (last | HostPage.OffsetMask))
            {
                return true;
            }
        }
    }

    public bool LoadBytes(ulong address, Span<byte> destination)
    {
        if (!LinearAddress.IsCanonicalRange(address, destination.Length))
        {
            return pending.AddressFault();
        }

        Span<byte> part = stackalloc byte[8];
        for (int i = 0; i < destination.Length;)
        {
            int left = destination.Length - i;
            int size = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
            if (!Load(address + (ulong)i, size, out ulong value))
            {
                return false;
            }

            BinaryPrimitives.WriteUInt64LittleEndian(part, value);
            part[..size].CopyTo(destination[i..]);
            i += size;
        }

        return true;
    }

    public bool StoreBytes(ulong address, ReadOnlySpan<byte> source)
    {
        if (!PrepareStore(address, source.Length))
        {
            return false;
        }

        Span<byte> part = stackalloc byte[8];
        for (int i = 0; i < source.Length;)
        {
            int left = source.Length - i;
            int size = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
            part.Clear();
            source.Slice(i, size).CopyTo(part);
            if (!Store(address + (ulong)i, size, BinaryPrimitives.ReadUInt64LittleEndian(part)))
            {
                return false;
            }

            i += size;
        }

        return true;
    }
}
