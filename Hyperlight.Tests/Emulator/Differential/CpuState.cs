using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>The registers that instructions see, laid out as the trampoline of <see cref="NativeProcessor"/> loads and stores them.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CpuState
{
    public const int RipOffset = 16 * 8;
    public const int FlagsOffset = RipOffset + 8;
    public const int FxOffset = FlagsOffset + 8;

    /// <summary>RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15: the order of their encoding.</summary>
    public GeneralRegisterFile General;
    public ulong Rip;
    public ulong Flags;
    public FxImage Fx;

    public const int Rax = 0;
    public const int Rcx = 1;
    public const int Rdx = 2;
    public const int Rbx = 3;
    public const int Rsp = 4;
    public const int Rbp = 5;
    public const int Rsi = 6;
    public const int Rdi = 7;

    private static readonly string[] Names =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    public static string NameOf(int register) => Names[register];

    public uint Mxcsr
    {
        readonly get => BinaryPrimitives.ReadUInt32LittleEndian(((ReadOnlySpan<byte>)Fx)[FxImage.MxcsrOffset..]);
        set => BinaryPrimitives.WriteUInt32LittleEndian(((Span<byte>)Fx)[FxImage.MxcsrOffset..], value);
    }

    public ushort ControlWord
    {
        readonly get => BinaryPrimitives.ReadUInt16LittleEndian(Fx);
        set => BinaryPrimitives.WriteUInt16LittleEndian(Fx, value);
    }

    public ushort StatusWord
    {
        readonly get => BinaryPrimitives.ReadUInt16LittleEndian(((ReadOnlySpan<byte>)Fx)[2..]);
        set => BinaryPrimitives.WriteUInt16LittleEndian(((Span<byte>)Fx)[2..], value);
    }

    /// <summary>One bit for each x87 register in use, by its physical number.</summary>
    public byte TagWord
    {
        readonly get => Fx[4];
        set => Fx[4] = value;
    }

    public readonly ReadOnlySpan<byte> St(int index) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.AsRef(in Fx[FxImage.StOffset + (16 * index)]), 10);

    public readonly ReadOnlySpan<byte> Xmm(int index) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.AsRef(in Fx[FxImage.XmmOffset + (16 * index)]), 16);

    /// <summary>All of it, for the report of a difference.</summary>
    public override readonly string ToString()
    {
        var text = new StringBuilder();
        for (int i = 0; i < Names.Length; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{Names[i],-3} {General[i]:X16}{(i % 4 == 3 ? "\n" : "  ")}");
        }

        text.Append(CultureInfo.InvariantCulture, $"rip {Rip:X16}  rflags {Flags:X8}  mxcsr {Mxcsr:X4}  ");
        text.Append(CultureInfo.InvariantCulture, $"fcw {ControlWord:X4}  fsw {StatusWord:X4}  ftw {TagWord:X2}\n");
        for (int i = 0; i < 8; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"st{i} {Hex(St(i))}{(i % 2 == 1 ? "\n" : "  ")}");
        }

        for (int i = 0; i < 16; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"xmm{i,-2} {Hex(Xmm(i))}{(i % 2 == 1 ? "\n" : "  ")}");
        }

        return text.ToString();
    }

    /// <summary>The bytes as one number, the highest first.</summary>
    public static string Hex(ReadOnlySpan<byte> bytes)
    {
        byte[] reversed = bytes.ToArray();
        Array.Reverse(reversed);
        return Convert.ToHexString(reversed);
    }
}

/// <summary>The sixteen general registers.</summary>
[InlineArray(16)]
internal struct GeneralRegisterFile
{
    private ulong _first;
}

/// <summary>What FXSAVE stores.</summary>
[InlineArray(512)]
internal struct FxImage
{
    public const int MxcsrOffset = 24;
    public const int StOffset = 32;
    public const int XmmOffset = 160;

    private byte _first;
}
