using System.Runtime.InteropServices;

namespace Hyperlight.Host.Files.Interop;

/// <summary>asm/fcntl.h and asm/unistd.h: numbers that differ between the processor architectures of Linux.</summary>
internal static class Platform
{
    public const int O_RDONLY = 0;
    public const int O_WRONLY = 1;
    public const int O_RDWR = 2;
    public const int O_CREAT = 0x40;
    public const int O_EXCL = 0x80;
    public const int O_NOCTTY = 0x100;
    public const int O_APPEND = 0x400;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;
    public const int O_PATH = 0x200000;

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>Whether the numbers here are those of this process.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux()
        && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    public static int O_DIRECTORY { get; } = IsArm ? 0x4000 : 0x10000;

    public static int O_NOFOLLOW { get; } = IsArm ? 0x8000 : 0x20000;

    public static int SYS_getdents64 { get; } = IsArm ? 61 : 217;

    public static int SYS_renameat2 { get; } = IsArm ? 276 : 316;

    public static int SYS_statx { get; } = IsArm ? 291 : 332;
}
