using System.Runtime.InteropServices;

namespace Hyperlight.Tests.Integration;

/// <summary>What the test guest finds at the indices of model-specific registers, all that processors and hypervisors use among them.</summary>
internal sealed class MsrSweep
{
    /// <summary>The time-stamp counter, the one register that does not stand still.</summary>
    public const uint TimeStampCounter = 0x10;

    private const uint Efer = 0xC000_0080;

    /// <summary>
    /// Segment limits in 64-bit mode: where KVM lets a guest set the bit, a processor without them refuses to be entered.
    /// </summary>
    private const ulong LongModeSegmentLimits = 1 << 13;

    private const uint Readable = 1;
    private const uint Writable = 2;
    private const uint Chunk = 512;

    /// <summary>
    /// Of Intel and of AMD; of Hyper-V, then of KVM, to which no bits are planted below the widest physical address: what a
    /// guest writes there is where the hypervisor writes to.
    /// </summary>
    private static readonly (uint First, uint Count, ulong Bits)[] Ranges =
    [
        (0, 0x11, ulong.MaxValue),
        (0x11, 2, 1UL << 60),
        (0x13, 0x1FED, ulong.MaxValue),
        (0xC000_0000, 0x80, ulong.MaxValue),
        (Efer, 1, BitsOf(Efer)),
        (0xC000_0081, 0x1F7F, ulong.MaxValue),
        (0xC001_0000, 0x2000, ulong.MaxValue),
        (0x4000_0000, 0x200, 1UL << 60),
        (0x4B56_4D00, 0x100, 1UL << 60),
    ];

    private const uint PlaceSize = 8;

    /// <summary>What no processor or hypervisor is known to use.</summary>
    private static readonly (uint First, uint Count, ulong Bits)[] Others = [.. ChooseOthers().Where(static r => !IsInRanges(r.First))];

    private readonly Record[] _records;

    private MsrSweep(Record[] records) => _records = records;

    /// <summary>What can be read.</summary>
    public IEnumerable<uint> ReadableRegisters => _records.Where(r => (r.Access & Readable) != 0).Select(r => r.Index);

    /// <summary>What could be written.</summary>
    public IEnumerable<uint> WritableRegisters => _records.Where(r => (r.Access & Writable) != 0).Select(r => r.Index);

    /// <summary>Which registers had another value afterwards.</summary>
    public IEnumerable<uint> Planted => _records.Where(r => r.Before != r.After && r.Index != TimeStampCounter).Select(r => r.Index);

    /// <summary>The values of the registers that can be read, but for the counter.</summary>
    public IReadOnlyDictionary<uint, ulong> Values =>
        _records.Where(r => (r.Access & Readable) != 0 && r.Index != TimeStampCounter).ToDictionary(r => r.Index, r => r.After);

    /// <summary>The time-stamp counter; 0 if it cannot be read.</summary>
    public ulong Time => _records.SingleOrDefault(r => r.Index == TimeStampCounter).After;

    /// <summary>The bits of a register that can be inverted without an end of the guest.</summary>
    public static ulong BitsOf(uint index) => index == Efer ? ~LongModeSegmentLimits : ulong.MaxValue;

    /// <summary>The registers that another sweep found with other values, or did not find, one line for each.</summary>
    public IEnumerable<string> Differences(MsrSweep other)
    {
        IReadOnlyDictionary<uint, ulong> mine = Values;
        IReadOnlyDictionary<uint, ulong> others = other.Values;
        return mine.Keys.Union(others.Keys).Where(i => !mine.TryGetValue(i, out ulong a) || !others.TryGetValue(i, out ulong b) || a != b)
            .Select(i => $"0x{i:X}: 0x{mine.GetValueOrDefault(i):X} expected, 0x{others.GetValueOrDefault(i):X} found");
    }

    /// <summary>Reads all registers.</summary>
    public static MsrSweep Read(MultiUseSandbox sandbox) => new([.. Run(sandbox, static _ => 0)]);

    /// <summary>Inverts every bit of every register that lets itself be inverted.</summary>
    /// <param name="sandbox">The sandbox.</param>
    /// <param name="except">Ranges without these registers.</param>
    public static MsrSweep Plant(MultiUseSandbox sandbox, params uint[] except) =>
        new([.. Run(sandbox, static bits => bits, except)]);

    private static IEnumerable<Record> Run(MultiUseSandbox sandbox, Func<ulong, ulong> chooseBits, params uint[] except)
    {
        foreach ((uint first, uint count, ulong bits) in Ranges.Concat(Others))
        {
            for (uint offset = 0, length; offset < count; offset += Math.Max(length, 1))
            {
                // Up to the next one that is left out; a chunk of none leaves out this one.
                length = Math.Min(Chunk, count - offset);
                length = except.Where(i => i - (first + offset) < length).Select(i => i - (first + offset)).DefaultIfEmpty(length).Min();
                byte[] records = sandbox.Call<byte[]>("SweepMsrs", first + offset, length, chooseBits(bits));
                foreach (Record record in MemoryMarshal.Cast<byte, Record>(records).ToArray())
                {
                    yield return record;
                }
            }
        }
    }

    /// <summary>A place in every part of the 32-bit space, another one in each process, and both sides of every power of two.</summary>
    private static IEnumerable<(uint First, uint Count, ulong Bits)> ChooseOthers()
    {
        const int parts = 512;
        const uint size = (uint)((1UL << 32) / parts);
        for (uint part = 0; part < parts; part++)
        {
            yield return ((part * size) + (uint)Random.Shared.NextInt64(size - PlaceSize), PlaceSize, ulong.MaxValue);
        }

        for (int bit = 14; bit < 32; bit++)
        {
            yield return ((1U << bit) - (PlaceSize / 2), PlaceSize, ulong.MaxValue);
        }
    }

    private static bool IsInRanges(uint first) => Ranges.Any(r => first + PlaceSize > r.First && first < (ulong)r.First + r.Count);

    /// <summary>The guest's structure.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Record
    {
        public readonly uint Index;
        public readonly uint Access;
        public readonly ulong Before;
        public readonly ulong After;
    }
}
