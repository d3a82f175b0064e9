namespace Hyperlight.Host.Files.Interop;

/// <summary>linux/dirent.h: where the fields of struct linux_dirent64 are that are used.</summary>
internal static class DirectoryEntry
{
    public const int LengthOffset = 16;
    public const int NameOffset = 19;
}
