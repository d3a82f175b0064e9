using System.Buffers.Binary;
using System.Text;

namespace Hyperlight.Surrogates;

/// <summary>
/// The smallest program that Windows starts: headers and one section of code that returns. It is made to be started suspended
/// and never to run. All numbers are those of the PE format's specification.
/// </summary>
internal static class SurrogateImage
{
    private const int FileAlignment = 0x200;
    private const int SectionAlignment = 0x1000;
    private const int SignatureOffset = 0x40;
    private const int FileHeaderOffset = SignatureOffset + 4;
    private const int OptionalHeaderOffset = FileHeaderOffset + 20;
    private const int OptionalHeaderSize = 112 + (DirectoryCount * 8);
    private const int DirectoryCount = 16;
    private const int SectionHeaderOffset = OptionalHeaderOffset + OptionalHeaderSize;

    /// <summary>xor eax, eax; ret: a thread that does run ends with exit code 0.</summary>
    private static ReadOnlySpan<byte> Code => [0x31, 0xC0, 0xC3];

    /// <summary>The bytes of the executable file.</summary>
    public static byte[] Create()
    {
        var image = new byte[2 * FileAlignment];
        WriteDosHeader(image);
        WriteFileHeader(image.AsSpan(SignatureOffset));
        WriteOptionalHeader(image.AsSpan(OptionalHeaderOffset));
        WriteSectionHeader(image.AsSpan(SectionHeaderOffset));
        Code.CopyTo(image.AsSpan(FileAlignment));
        return image;
    }

    /// <summary>IMAGE_DOS_HEADER: its signature, and where the next header is.</summary>
    private static void WriteDosHeader(Span<byte> header)
    {
        "MZ"u8.CopyTo(header);
        Write32(header, 60, SignatureOffset);
    }

    /// <summary>The signature, and IMAGE_FILE_HEADER. No time stamp: the same bytes whenever they are made.</summary>
    private static void WriteFileHeader(Span<byte> header)
    {
        const ushort Amd64 = 0x8664;
        const ushort ExecutableImage = 0x0002;
        const ushort LargeAddressAware = 0x0020;
        "PE"u8.CopyTo(header);
        Write16(header, 4, Amd64);
        Write16(header, 6, 1); // number of sections
        Write16(header, 20, OptionalHeaderSize);
        Write16(header, 22, ExecutableImage | LargeAddressAware);
    }

    /// <summary>
    /// IMAGE_OPTIONAL_HEADER64. A program for windows, not for a console, which would have a console process started beside it.
    /// It has no imports and no relocations: its code runs at any address.
    /// </summary>
    private static void WriteOptionalHeader(Span<byte> header)
    {
        const ushort Pe32Plus = 0x020B;
        const ushort WindowsProgram = 2;
        const ushort HighEntropyAddresses = 0x0020;
        const ushort DynamicBase = 0x0040;
        const ushort NoExecuteCompatible = 0x0100;
        const ushort TerminalServerAware = 0x8000;
        Write16(header, 0, Pe32Plus);
        Write32(header, 4, FileAlignment); // size of code
        Write32(header, 16, SectionAlignment); // entry point
        Write32(header, 20, SectionAlignment); // base of code
        Write64(header, 24, 0x1_4000_0000); // preferred base
        Write32(header, 32, SectionAlignment);
        Write32(header, 36, FileAlignment);
        Write16(header, 40, 6); // version of the operating system, and below of the subsystem
        Write16(header, 48, 6);
        Write32(header, 56, 2 * SectionAlignment); // size of the image
        Write32(header, 60, FileAlignment); // size of the headers
        Write16(header, 68, WindowsProgram);
        Write16(header, 70, HighEntropyAddresses | DynamicBase | NoExecuteCompatible | TerminalServerAware);
        Write64(header, 72, 0x1_0000); // stack: reserved, committed
        Write64(header, 80, 0x1000);
        Write64(header, 88, 0x1_0000); // heap: reserved, committed
        Write64(header, 96, 0x1000);
        Write32(header, 108, DirectoryCount);
    }

    /// <summary>IMAGE_SECTION_HEADER of the code.</summary>
    private static void WriteSectionHeader(Span<byte> header)
    {
        const uint Code = 0x20;
        const uint Execute = 0x2000_0000;
        const uint Read = 0x4000_0000;
        Encoding.ASCII.GetBytes(".text", header);
        Write32(header, 8, (uint)SurrogateImage.Code.Length);
        Write32(header, 12, SectionAlignment); // address in the image
        Write32(header, 16, FileAlignment); // size in the file
        Write32(header, 20, FileAlignment); // offset in the file
        Write32(header, 36, Code | Execute | Read);
    }

    private static void Write16(Span<byte> header, int offset, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(header[offset..], value);

    private static void Write32(Span<byte> header, int offset, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(header[offset..], value);

    private static void Write64(Span<byte> header, int offset, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(header[offset..], value);
}
