namespace Hyperlight.Whp.Interop;

/// <summary>Functions of winhvplatform.h that are newer than the library.</summary>
internal static class WinHvExports
{
    /// <summary>Since Windows 11 and Windows Server 2022.</summary>
    public const string WHvMapGpaRange2 = nameof(WHvMapGpaRange2);
}
