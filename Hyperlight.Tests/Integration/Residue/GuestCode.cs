using System.Reflection;
using Hyperlight.Host.Protocol;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>
/// Code that the test guest executes at CPL 0 from memory that the host has mapped. It sees itself at
/// <see cref="Window"/>, and its data at <see cref="DataAddress"/>.
/// </summary>
/// <param name="Name">What it is, for messages.</param>
/// <param name="Code">The instructions, at most a page.</param>
/// <param name="Data">What is at <see cref="DataAddress"/>.</param>
internal sealed record GuestCode(string Name, byte[] Code, byte[] Data)
{
    /// <summary>Where the test guest maps the code that it executes.</summary>
    public const ulong Window = 0xFFFF_FC00_0000_0000;

    /// <summary>Guest physical address of the code.</summary>
    public const ulong CodeAddress = 0x1000_0000;

    /// <summary>Guest physical and virtual address of the data.</summary>
    public const ulong DataAddress = CodeAddress + 0x2000;

    /// <summary>Bytes of code and data together.</summary>
    public const int RegionSize = 0x8000;

    /// <summary>Guest physical and virtual address of a page that is not there.</summary>
    public const ulong Missing = 0x4000_0000;

    /// <summary>A port that the guest ABI does not have.</summary>
    public const ushort UnknownPort = 0x1234;

    /// <summary>The ports of the guest ABI, and one that is not.</summary>
    public static IReadOnlyList<ushort> Ports { get; } =
    [
        UnknownPort,
        .. typeof(GuestPort).GetFields(BindingFlags.Public | BindingFlags.Static).Select(static f => (ushort)f.GetRawConstantValue()!),
    ];

    public GuestCode(string name, Action<Assembler> code, byte[]? data = null)
        : this(name, Assemble(code, Window), data ?? [])
    {
    }

    public static byte[] Assemble(Action<Assembler> code, ulong address)
    {
        var assembler = new Assembler(64);
        code(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        return stream.ToArray();
    }

    /// <summary>Leaves the guest for good.</summary>
    public static void Exit(Assembler c)
    {
        c.mov(edx, UnknownPort);
        c.@out(dx, eax);
    }

    /// <summary>Sets flags without changing a register.</summary>
    public static void SetFlags(Assembler c, uint flags)
    {
        c.pushfq();
        c.or(__dword_ptr[rsp], flags);
        c.popfq();
    }

    public override string ToString() => Name;
}
