using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>
/// Code that overwrites every byte of guest physical ranges, its own stack and page tables among them. It runs on page
/// tables in memory that it cannot write, which map all of guest physical space one to one.
/// </summary>
internal static class PlantedMemory
{
    /// <summary>What every eight bytes are.</summary>
    public const ulong Value = 0x5A17_AB1E_D00D_F00D;

    /// <summary>Bytes of the page tables: the root, two tables of the second level, the directories, and those of the window.</summary>
    public const int TableSize = (5 + Directories) * GuestPage.Size;

    private const int Directories = (int)(GuestPhysicalSpace.End >> 30);
    private const ulong Table = 0x23;
    private const ulong LargePage = 0xE3;
    private const ulong Page = 0x63;
    private const int Entries = 512;

    /// <summary>Fills the ranges, and leaves the guest.</summary>
    /// <param name="ranges">Guest physical address and bytes of each.</param>
    /// <param name="tables">Guest physical address of <see cref="Tables"/>.</param>
    public static GuestCode Code(IEnumerable<(ulong Address, ulong Size)> ranges, ulong tables) => new("all memory", c =>
    {
        c.mov(rax, tables);
        c.mov(cr3, rax);
        c.mov(rax, Value);
        foreach ((ulong address, ulong size) in ranges)
        {
            c.mov(rdi, address);
            c.mov(rcx, size / sizeof(ulong));
            c.rep.stosq();
        }

        GuestCode.Exit(c);
    });

    /// <summary>The page tables for an address; every entry is marked as used, so that the processor has nothing to write.</summary>
    public static byte[] Tables(ulong address)
    {
        byte[] bytes = new byte[TableSize];
        Span<ulong> entries = MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan());
        ulong At(int page) => address + ((ulong)page * GuestPage.Size);
        int Index(int level) => (int)(GuestCode.Window >> (12 + (9 * level))) % Entries;

        entries[0] = At(1) | Table;
        entries[Index(3)] = At(2) | Table;
        entries[(2 * Entries) + Index(2)] = At(3) | Table;
        entries[(3 * Entries) + Index(1)] = At(4) | Table;
        entries[(4 * Entries) + Index(0)] = GuestCode.CodeAddress | Page;
        for (int i = 0; i < Directories; i++)
        {
            entries[Entries + i] = At(5 + i) | Table;
        }

        for (int i = 0; i < Directories * Entries; i++)
        {
            entries[(5 * Entries) + i] = ((ulong)i << 21) | LargePage;
        }

        return bytes;
    }
}
