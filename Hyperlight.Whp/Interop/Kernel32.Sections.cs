using System.Runtime.InteropServices;

namespace Hyperlight.Whp.Interop;

/// <summary>memoryapi.h: sections of memory, the protection of pages, and views in other processes.</summary>
internal static unsafe partial class Kernel32
{
    public const uint PAGE_NOACCESS = 0x1;
    public const uint PAGE_READWRITE = 0x4;
    public const uint FILE_MAP_WRITE = 0x2;

    private const string MemoryLibrary = "kernelbase";

    [LibraryImport(Library, SetLastError = true)]
    public static partial int VirtualProtect(nint address, nuint size, uint newProtection, uint* oldProtection);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int VirtualProtectEx(nint process, nint address, nuint size, uint newProtection, uint* oldProtection);

    /// <summary>Since Windows 10 1803. Unlike MapViewOfFileNuma2 it is a function of its own, which Wine has too.</summary>
    [LibraryImport(MemoryLibrary, SetLastError = true)]
    public static partial nint MapViewOfFile3(
        nint section, nint process, nint baseAddress, ulong offset, nuint viewSize, uint allocationType, uint protection, void* parameters, uint parameterCount);

    [LibraryImport(MemoryLibrary, SetLastError = true)]
    public static partial int UnmapViewOfFile2(nint process, nint address, uint flags);
}
