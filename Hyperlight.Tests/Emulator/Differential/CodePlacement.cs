using System.Buffers.Binary;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>Collects encoded instructions, and puts them into both code areas with the end that each processor needs.</summary>
internal sealed class CodePlacement(ulong exit, EmulatedProcessor emulated) : CodeWriter
{
    private const byte JumpInstruction = 0xE9;
    private const byte HaltInstruction = 0xF4;
    private const int JumpLength = 5;

    private readonly byte[] _bytes = new byte[TestMemory.CodeSize];
    private int _length;

    /// <summary>The address of the first instruction.</summary>
    public ulong Start { get; private set; }

    /// <summary>The address behind the last instruction.</summary>
    public ulong End => Start + (ulong)_length;

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>Starts anew, sometimes just before a page's end.</summary>
    public void Begin(RandomSource random, int room)
    {
        const int Page = 0x1000;
        int start = random.OneIn(8)
            ? (random.Between(1, 2) * Page) - random.Between(1, 15)
            : random.Below(TestMemory.CodeSize - room);
        Start = TestMemory.Code + (ulong)start;
        _length = 0;
    }

    /// <summary>Starts anew at an address.</summary>
    public void Begin(ulong start)
    {
        Start = start;
        _length = 0;
    }

    public override void WriteByte(byte value) => _bytes[_length++] = value;

    /// <summary>Replaces bytes that were written before, as a branch's displacement.</summary>
    public void Patch(int offset, int value) => BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(offset), value);

    /// <summary>Replaces one byte.</summary>
    public void PatchByte(int offset, byte value) => _bytes[offset] = value;

    /// <summary>Writes to both.</summary>
    public void Place()
    {
        if (emulated.Tier != Tier.Interpreter)
        {
            emulated.ForgetCode();
        }

        Span<byte> host = NativeProcessor.Code(Start);
        Bytes.CopyTo(host);
        host[_length] = JumpInstruction;
        BinaryPrimitives.WriteInt32LittleEndian(host[(_length + 1)..], (int)(exit - (End + JumpLength)));
        Span<byte> guest = emulated.Code(Start);
        Bytes.CopyTo(guest);
        guest[_length] = HaltInstruction;
    }
}
