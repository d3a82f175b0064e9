using Hyperlight.Abstractions;
using Hyperlight.Tests.Emulator.Differential;
using Hyperlight.Tests.Machine;

namespace Hyperlight.Tests.Emulator.Strings;

/// <summary>A repeated string instruction, and the state in which it starts.</summary>
internal sealed record StringCase
{
    public const byte Movs = 0xA4;
    public const byte Cmps = 0xA6;
    public const byte Stos = 0xAA;
    public const byte Lods = 0xAC;
    public const byte Scas = 0xAE;

    /// <summary>The first linear address of the data: its pages are mapped as a case says.</summary>
    public const ulong Window = 0x10_0000;

    public const int WindowPages = 8;

    /// <summary>The same pages at addresses whose translations have the same places in the processor's cache.</summary>
    public const ulong Mirror = Window + 0x20_0000;

    public const ulong DirectionFlag = 0x400;

    /// <summary>Present, writable, accessed and dirty.</summary>
    public const ulong Writable = 0x63;
    public const ulong ReadOnly = 0x61;
    public const ulong Absent = 0;

    /// <summary>A page of the window has this page of physical memory if a case does not say otherwise.</summary>
    public const ulong Physical = 0x20000;

    /// <summary>Behind the end of physical memory.</summary>
    public const ulong Device = 0x80000;

    public required byte Opcode { get; init; }

    /// <summary>Bytes of an element.</summary>
    public required int Size { get; init; }

    /// <summary>REPNE rather than REP or REPE.</summary>
    public bool IsRepne { get; init; }

    public bool Backwards { get; init; }

    public bool Address32 { get; init; }

    /// <summary>Added to addresses of the source, through FS; zero for no prefix.</summary>
    public ulong SourceBase { get; init; }

    public required ulong Rsi { get; init; }

    public required ulong Rdi { get; init; }

    public required ulong Rcx { get; init; }

    public ulong Rax { get; init; }

    /// <summary>Instructions between two stops.</summary>
    public long Budget { get; init; } = 100;

    /// <summary>A byte of the data is not zero once in this many.</summary>
    public int Rarity { get; init; } = 1;

    public ulong DataSeed { get; init; }

    /// <summary>Page table entries of the window.</summary>
    public IReadOnlyList<ulong> Entries { get; init; } =
        [.. Enumerable.Range(0, WindowPages).Select(static i => PageOf(i, Writable))];

    /// <summary>An entry for a page of the window.</summary>
    public static ulong PageOf(int page, ulong flags) => (Physical + ((ulong)page << 12)) | flags;

    /// <summary>A case of any kind.</summary>
    public static StringCase Random(RandomSource random)
    {
        int size = random.Pick<int>([1, 2, 4, 8]);
        ulong sourceBase = random.OneIn(6) ? (ulong)random.Below(0x3000) : 0;
        ulong source = Address(random);
        ulong destination = random.OneIn(3) ? source + (ulong)random.Between(-40, 40)
            : random.OneIn(4) ? source ^ (Window ^ Mirror)
            : random.OneIn(20) ? SystemGuest.KernelCode + (ulong)random.Below(64)
            : Address(random);
        return new StringCase
        {
            Opcode = random.Pick<byte>([Movs, Movs, Stos, Cmps, Scas, Lods]),
            Size = size,
            IsRepne = random.OneIn(2),
            Backwards = random.OneIn(2),
            Address32 = random.OneIn(6),
            SourceBase = sourceBase,
            Rsi = source - sourceBase,
            Rdi = destination,
            Rcx = (ulong)(random.OneIn(3) ? random.Below(40) : random.Below(0x4000) / size),
            Rax = random.OneIn(2) ? 0 : random.Next(),
            Budget = random.OneIn(2) ? random.Between(1, 4) : 100,
            Rarity = random.Pick<int>([1, 1, 30, 3000]),
            DataSeed = random.Next(),
            Entries = [.. Enumerable.Range(0, WindowPages).Select(i => Entry(random, i))],
        };
    }

    /// <summary>The machine code, with a halt behind it.</summary>
    public byte[] Encode()
    {
        List<byte> code = [];
        Append(code, Address32, 0x67);
        Append(code, SourceBase != 0, 0x64);
        Append(code, Size == 2, 0x66);
        code.Add(IsRepne ? (byte)0xF2 : (byte)0xF3);
        Append(code, Size == 8, 0x48);
        code.Add((byte)(Opcode | (Size == 1 ? 0 : 1)));
        code.Add(0xF4);
        return [.. code];
    }

    private static void Append(List<byte> code, bool isPresent, byte prefix)
    {
        if (isPresent)
        {
            code.Add(prefix);
        }
    }

    /// <summary>An address of the data, often close to the edge of a page.</summary>
    private static ulong Address(RandomSource random)
    {
        int page = random.Below(WindowPages);
        int offset = random.OneIn(2) ? random.Below(GuestPage.Size) : random.Between(-20, 20);
        return Window + (ulong)((page * GuestPage.Size) + offset);
    }

    private static ulong Entry(RandomSource random, int page) => random.Below(16) switch
    {
        0 => Absent,
        1 => PageOf(page, ReadOnly),
        2 => Device | Writable,
        3 => PageOf(random.Below(WindowPages), Writable),
        4 => PageOf(page, Writable & ~0x60UL),
        5 => SystemGuest.KernelCode | Writable,
        _ => PageOf(page, Writable),
    };
}
