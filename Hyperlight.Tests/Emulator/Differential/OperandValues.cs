using System.Buffers.Binary;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>Values at which instructions behave specially, and ordinary ones.</summary>
internal sealed class OperandValues(RandomSource random)
{
    /// <summary>Chooses addresses for an alignment instead of those inside the data.</summary>
    public Func<int, ulong>? Addresses { get; init; }

    private const int StatusFlags = 0x8D5;
    private const int DirectionFlag = 0x400;

    /// <summary>IF, which the host has set, and the bit that is always set.</summary>
    private const int FixedFlags = 0x202;

    private static readonly ulong[] Integers =
    [
        0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64, 0x7E, 0x7F, 0x80, 0x81, 0xFE, 0xFF, 0x100, 0x7FFE, 0x7FFF, 0x8000, 0x8001,
        0xFFFF, 0x10000, 0x7FFF_FFFE, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FFFF, 0x1_0000_0000,
        0x7FFF_FFFF_FFFF_FFFE, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0x8000_0000_0000_0001, 0x5555_5555_5555_5555,
        0xAAAA_AAAA_AAAA_AAAA, 0x8080_8080_8080_8080, 0x7F7F_7F7F_7F7F_7F7F, 0x8000_8000_8000_8000, 0x7FFF_7FFF_7FFF_7FFF,
        0xFFFF_FFFF_7FFF_FFFF, 0xFFFF_FFFF_8000_0000, 0xFFFF_FFFF_FFFF_8000, 0xFFFF_FFFF_FFFF_FF80, 0xFFFF_FFFF_FFFF_FFFE,
        0xFFFF_FFFF_FFFF_FFFF,
    ];

    /// <summary>Zero, denormals, one and its neighbours, halves, bounds of integers, the largest, infinity, quiet and signalling NaNs.</summary>
    private static readonly uint[] Singles =
    [
        0, 1, 2, 0x0000_FFFF, 0x007F_FFFF, 0x0080_0000, 0x0080_0001, 0x00FF_FFFF, 0x3EFF_FFFF, 0x3F00_0000, 0x3F00_0001,
        0x3F7F_FFFF, 0x3F80_0000, 0x3F80_0001, 0x3FC0_0000, 0x4000_0000, 0x4020_0000, 0x4040_0000, 0x4060_0000, 0x4AFF_FFFF,
        0x4B00_0000, 0x4B00_0001, 0x4EFF_FFFF, 0x4F00_0000, 0x4F00_0001, 0x4F80_0000, 0x5EFF_FFFF, 0x5F00_0000, 0x5F80_0000,
        0x1F80_0000, 0x2000_0000, 0x5F7F_FFFF, 0x7F7F_FFFF, 0x7F7F_FFFE, 0x7F80_0000, 0x7F80_0001, 0x7FBF_FFFF, 0x7FC0_0000,
        0x7FC0_1234, 0x7FFF_FFFF,
    ];

    private static readonly ulong[] Doubles =
    [
        0, 1, 2, 0x0000_0000_FFFF_FFFF, 0x000F_FFFF_FFFF_FFFF, 0x0010_0000_0000_0000, 0x0010_0000_0000_0001, 0x001F_FFFF_FFFF_FFFF,
        0x3690_0000_0000_0000, 0x36A0_0000_0000_0000, 0x380F_FFFF_FFFF_FFFF, 0x3810_0000_0000_0000, 0x3FDF_FFFF_FFFF_FFFF,
        0x3FE0_0000_0000_0000, 0x3FE0_0000_0000_0001, 0x3FEF_FFFF_FFFF_FFFF, 0x3FF0_0000_0000_0000, 0x3FF0_0000_0000_0001,
        0x3FF0_0000_1000_0000, 0x3FF0_0000_3000_0000, 0x3FF0_0000_1000_0001, 0x3FF8_0000_0000_0000, 0x4000_0000_0000_0000,
        0x4004_0000_0000_0000, 0x400C_0000_0000_0000, 0x41DF_FFFF_FFC0_0000, 0x41DF_FFFF_FFE0_0000, 0x41DF_FFFF_FFFF_FFFF,
        0x41E0_0000_0000_0000, 0x41E0_0000_0010_0000, 0x41E0_0000_0020_0000, 0x432F_FFFF_FFFF_FFFF, 0x4330_0000_0000_0001,
        0x433F_FFFF_FFFF_FFFF, 0x43DF_FFFF_FFFF_FFFF, 0x43E0_0000_0000_0000, 0x43F0_0000_0000_0000, 0x47EF_FFFF_E000_0000,
        0x47EF_FFFF_F000_0000, 0x47F0_0000_0000_0000, 0x5FE0_0000_0000_0000, 0x2000_0000_0000_0000, 0x7FEF_FFFF_FFFF_FFFE,
        0x7FEF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000, 0x7FF0_0000_0000_0001, 0x7FF7_FFFF_FFFF_FFFF, 0x7FF8_0000_0000_0000,
        0x7FF8_0000_0000_1234, 0x7FFF_FFFF_FFFF_FFFF,
    ];

    public ulong Integer() => random.Below(8) switch
    {
        0 or 1 or 2 => random.Pick<ulong>(Integers),
        3 => (1UL << random.Below(64)) - (ulong)random.Below(2),
        4 => (ulong)random.Below(256),
        5 => 0 - (ulong)random.Below(256),
        6 => random.Next() >> random.Below(64),
        _ => random.Next(),
    };

    public uint Single()
    {
        uint sign = random.OneIn(2) ? 0x8000_0000 : 0;
        return random.Below(4) switch
        {
            0 or 1 => random.Pick<uint>(Singles) | sign,
            2 => BitConverter.SingleToUInt32Bits((int)random.Next() >> random.Below(31)) | sign,
            _ => (uint)random.Next(),
        };
    }

    public ulong Double()
    {
        ulong sign = random.OneIn(2) ? 1UL << 63 : 0;
        return random.Below(5) switch
        {
            0 or 1 => random.Pick<ulong>(Doubles) | sign,
            2 => BitConverter.DoubleToUInt64Bits((long)random.Next() >> random.Below(63)) | sign,
            3 => BitConverter.DoubleToUInt64Bits(BitConverter.UInt32BitsToSingle(Single())),
            _ => random.Next(),
        };
    }

    /// <summary>Sixteen bytes of numbers of one kind.</summary>
    public void Vector(Span<byte> bytes)
    {
        int kind = random.Below(4);
        for (int i = 0; i < 16; i += 8)
        {
            ulong value = kind switch
            {
                0 => Integer(),
                1 => ((ulong)Single() << 32) | Single(),
                2 => Double(),
                _ => random.OneIn(2) ? random.Next() : Integer() * 0x0101_0101_0101_0101,
            };
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[i..], value);
        }
    }

    /// <summary>A number of 80 bits: mostly one that a conversion gives, sometimes any bits.</summary>
    public void Extended(Span<byte> bytes)
    {
        bytes.Clear();
        ulong significand = random.OneIn(3) ? random.Next() : Integer() << random.Below(2);
        int exponent = random.Below(8) switch
        {
            0 => 0,
            1 => random.Below(3),
            2 => 0x7FFF - random.Below(3),
            3 => 0x3FFF + random.Between(-70, 70),
            4 => 0x3FFF + random.Between(-1100, 1100),
            5 => random.Below(0x8000),
            _ => 0x3FFF + random.Between(-4, 64),
        };
        significand = exponent == 0 ? significand & (ulong.MaxValue >> 1) : significand | (1UL << 63);
        if (exponent is 0x7FFF && random.OneIn(2))
        {
            significand = 1UL << 63;
        }

        if (random.OneIn(32))
        {
            // Formats that processors since the 80387 refuse.
            significand ^= 1UL << 63;
        }

        BinaryPrimitives.WriteUInt64LittleEndian(bytes, significand);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[8..], (ushort)(exponent | (random.Below(2) << 15)));
    }

    /// <summary>Fills every register. RSP points into the data; exceptions of x87 and SSE are masked.</summary>
    public void Fill(ref CpuState state)
    {
        state = default;
        for (int i = 0; i < 16; i++)
        {
            state.General[i] = Integer();
        }

        state.General[CpuState.Rsp] = Pointer(16);
        state.Flags = FixedFlags | (random.Next() & StatusFlags) | (random.OneIn(4) ? DirectionFlag : 0UL);
        Span<byte> fx = state.Fx;
        for (int i = 0; i < 8; i++)
        {
            Extended(fx.Slice(FxImage.StOffset + (16 * i), 10));
            if (random.OneIn(4))
            {
                // What an MMX instruction leaves there.
                BinaryPrimitives.WriteUInt64LittleEndian(fx[(FxImage.StOffset + (16 * i))..], Integer());
                BinaryPrimitives.WriteUInt16LittleEndian(fx[(FxImage.StOffset + (16 * i) + 8)..], 0xFFFF);
            }
        }

        for (int i = 0; i < 16; i++)
        {
            Vector(fx.Slice(FxImage.XmmOffset + (16 * i), 16));
        }

        state.Mxcsr = Mxcsr();
        state.ControlWord = ControlWord();
        state.StatusWord = (ushort)(random.Next() & 0x7F7F & (random.OneIn(2) ? 0xFFFFUL : 0x7F00));
        state.TagWord = random.Below(4) switch { 0 => 0, 1 or 2 => 0xFF, _ => (byte)random.Next() };
    }

    /// <summary>Every exception is masked; rounding, DAZ, FTZ and the sticky flags vary.</summary>
    public uint Mxcsr() => 0x1F80
        | (random.OneIn(2) ? (uint)random.Below(4) << 13 : 0)
        | (random.OneIn(4) ? 0x40u : 0)
        | (random.OneIn(4) ? 0x8000u : 0)
        | (random.OneIn(4) ? (uint)random.Below(64) : 0);

    /// <summary>Every exception is masked; rounding and precision vary.</summary>
    public ushort ControlWord() => (ushort)(0x037F
        ^ (random.OneIn(3) ? random.Pick<int>([0x100, 0x300]) : 0)
        | (random.OneIn(2) ? random.Below(4) << 10 : 0));

    /// <summary>An address near the middle of the data, sometimes unaligned, often just at the border of the pages.</summary>
    public ulong Pointer(int alignment)
    {
        if (Addresses is { } addresses)
        {
            return addresses(alignment);
        }

        int offset = random.OneIn(4)
            ? random.Between(-16, 0)
            : random.Between(-TestMemory.OperandReach, TestMemory.OperandReach - 64);
        return TestMemory.Middle + (ulong)(offset & -alignment);
    }
}
