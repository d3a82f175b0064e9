using System.Runtime.InteropServices;

namespace Hyperlight.Whp.Interop;

/// <summary>WHV_MAP_GPA_RANGE_FLAGS.</summary>
internal static class WhvMapGpaRangeFlags
{
    public const uint WHvMapGpaRangeFlagRead = 1;
    public const uint WHvMapGpaRangeFlagWrite = 2;
    public const uint WHvMapGpaRangeFlagExecute = 4;
}

/// <summary>WHV_TRANSLATE_GVA_FLAGS.</summary>
internal static class WhvTranslateGvaFlags
{
    public const uint WHvTranslateGvaFlagValidateRead = 1;
}

/// <summary>WHV_TRANSLATE_GVA_RESULT.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WhvTranslateGvaResult
{
    public const uint WHvTranslateGvaResultSuccess = 0;

    public uint ResultCode;
    public uint Reserved;
}
