namespace Hyperlight.Tests.Whp;

/// <summary>An instruction that accesses a port, as the processor's memory has it at RIP.</summary>
internal readonly struct SimulatedInstruction
{
    private const int Longest = 15;

    private readonly UInt128 _bytes;

    private SimulatedInstruction(UInt128 bytes, int prefixes, byte opcode, bool hasAddressPrefix)
    {
        _bytes = bytes;
        Opcode = opcode;

        // IN and OUT with a port in the instruction have one byte more.
        Length = prefixes + (opcode is >= 0xE4 and <= 0xE7 ? 2 : 1);
        AddressMask = hasAddressPrefix ? uint.MaxValue : ulong.MaxValue;
    }

    /// <summary>Bytes of the instruction.</summary>
    public int Length { get; }

    public byte Opcode { get; }

    public bool IsStringIn => Opcode is 0x6C or 0x6D;

    public ulong AddressMask { get; }

    public static SimulatedInstruction Read(SimulatedProcessor processor)
    {
        ulong rip = processor.Machine.GetGeneralRegisters().Rip;
        UInt128 bytes = 0;
        int prefixes = 0;
        bool address = false;
        Span<byte> next = stackalloc byte[1];
        for (int i = 0; i < Longest && processor.TryReadVirtual(rip + (ulong)i, next); i++)
        {
            bytes |= (UInt128)next[0] << (8 * i);
            if (prefixes == i && IsPrefix(next[0]))
            {
                prefixes++;
                address |= next[0] == 0x67;
            }
        }

        return new SimulatedInstruction(bytes, prefixes, (byte)(bytes >> (8 * prefixes)), address);
    }

    public void CopyTo(Span<byte> destination)
    {
        for (int i = 0; i < Length; i++)
        {
            destination[i] = (byte)(_bytes >> (8 * i));
        }
    }

    private static bool IsPrefix(byte value) =>
        value is 0x66 or 0x67 or 0xF2 or 0xF3 or 0x2E or 0x36 or 0x3E or 0x26 or 0x64 or 0x65 or 0xF0 or (>= 0x40 and <= 0x4F);
}
