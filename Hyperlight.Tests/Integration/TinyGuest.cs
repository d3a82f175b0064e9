using Hyperlight.Tests.Host.Elf;
using Iced.Intel;

namespace Hyperlight.Tests.Integration;

/// <summary>Guests of a few instructions, assembled by the test that needs them. They start at guest address 0x1000.</summary>
internal static class TinyGuest
{
    private const ulong LoadAddress = 0x1000;

    public static GuestBinary Assemble(Action<Assembler> code, string? version = null)
    {
        var assembler = new Assembler(64);
        code(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), LoadAddress);
        return GuestBinary.FromBytes(TestElf.OfCode(stream.ToArray(), version).Build(), "tiny guest");
    }

    /// <summary>OUT of a 32-bit value to a port.</summary>
    public static void Out(this Assembler code, ushort port, uint value)
    {
        code.mov(AssemblerRegisters.eax, value);
        code.Out(port);
    }

    /// <summary>OUT of whatever is in EAX to a port.</summary>
    public static void Out(this Assembler code, ushort port)
    {
        code.mov(AssemblerRegisters.edx, port);
        code.@out(AssemblerRegisters.dx, AssemblerRegisters.eax);
    }
}
