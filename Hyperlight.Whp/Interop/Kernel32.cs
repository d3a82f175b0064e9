using System.Runtime.InteropServices;

namespace Hyperlight.Whp.Interop;

/// <summary>fileapi.h, memoryapi.h and handleapi.h: files, sections and views.</summary>
internal static unsafe partial class Kernel32
{
    public const uint GENERIC_READ = 0x8000_0000;
    public const uint FILE_SHARE_READ = 0x1;
    public const uint FILE_SHARE_WRITE = 0x2;
    public const uint FILE_SHARE_DELETE = 0x4;
    public const uint OPEN_EXISTING = 3;
    public const uint FILE_FLAG_RANDOM_ACCESS = 0x1000_0000;
    public const uint FILE_FLAG_OPEN_REPARSE_POINT = 0x0020_0000;
    public const uint FILE_ATTRIBUTE_REPARSE_POINT = 0x400;
    public const uint FILE_TYPE_DISK = 1;
    public const uint PAGE_READONLY = 0x2;
    public const uint FILE_MAP_READ = 0x4;
    public const nint INVALID_HANDLE_VALUE = -1;
    public const int ERROR_HANDLE_EOF = 38;
    public const int ERROR_CANT_RESOLVE_FILENAME = 1921;

    private const string Library = "kernel32";

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint CreateFileW(
        char* fileName, uint access, uint shareMode, SecurityAttributes* security, uint disposition, uint flags, nint template);

    [LibraryImport(Library, SetLastError = true)]
    public static partial uint GetFileType(nint file);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int GetFileSizeEx(nint file, long* size);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int GetFileInformationByHandle(nint file, ByHandleFileInformation* information);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int ReadFile(nint file, byte* buffer, uint length, uint* read, Overlapped* overlapped);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint CreateFileMappingW(
        nint file, SecurityAttributes* security, uint protection, uint maximumSizeHigh, uint maximumSizeLow, char* name);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint MapViewOfFile(nint section, uint access, uint offsetHigh, uint offsetLow, nuint length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int UnmapViewOfFile(nint address);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int CloseHandle(nint handle);
}

/// <summary>SECURITY_ATTRIBUTES of minwinbase.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SecurityAttributes
{
    public uint Length;
    public SecurityDescriptor* SecurityDescriptor;
    public int InheritHandle;
}

/// <summary>OVERLAPPED of minwinbase.h; for reads that wait, only the offset counts.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Overlapped
{
    public nuint Internal;
    public nuint InternalHigh;
    public uint Offset;
    public uint OffsetHigh;
    public nint Event;
}

/// <summary>BY_HANDLE_FILE_INFORMATION of fileapi.h.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct ByHandleFileInformation
{
    public uint FileAttributes;
    public ulong CreationTime;
    public ulong LastAccessTime;
    public ulong LastWriteTime;
    public uint VolumeSerialNumber;
    public uint FileSizeHigh;
    public uint FileSizeLow;
    public uint NumberOfLinks;
    public uint FileIndexHigh;
    public uint FileIndexLow;
}
