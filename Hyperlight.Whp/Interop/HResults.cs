namespace Hyperlight.Whp.Interop;

/// <summary>winerror.h: results of the platform's functions. A negative number is a failure.</summary>
internal static class HResults
{
    public const int S_OK = 0;
    public const int E_NOTIMPL = unchecked((int)0x8000_4001);
    public const int E_ACCESSDENIED = unchecked((int)0x8007_0005);
    public const int E_INVALIDARG = unchecked((int)0x8007_0057);
    public const int WHV_E_UNKNOWN_CAPABILITY = unchecked((int)0x8037_0300);
    public const int WHV_E_INSUFFICIENT_BUFFER = unchecked((int)0x8037_0301);
    public const int WHV_E_UNKNOWN_PROPERTY = unchecked((int)0x8037_0302);
    public const int WHV_E_UNSUPPORTED_HYPERVISOR_CONFIG = unchecked((int)0x8037_0303);
    public const int WHV_E_INVALID_PARTITION_CONFIG = unchecked((int)0x8037_0304);
    public const int WHV_E_GPA_RANGE_NOT_FOUND = unchecked((int)0x8037_0305);
    public const int WHV_E_VP_ALREADY_EXISTS = unchecked((int)0x8037_0306);
    public const int WHV_E_VP_DOES_NOT_EXIST = unchecked((int)0x8037_0307);
    public const int WHV_E_INVALID_VP_STATE = unchecked((int)0x8037_0308);
    public const int WHV_E_INVALID_VP_REGISTER_NAME = unchecked((int)0x8037_0309);
    public const int WHV_E_UNSUPPORTED_PROCESSOR_CONFIG = unchecked((int)0x8037_0310);

    /// <summary>ERROR_VID_PARTITION_ALREADY_EXISTS as an HRESULT: the process has another partition that maps its memory.</summary>
    public const int ERROR_VID_PARTITION_ALREADY_EXISTS = unchecked((int)0xC037_0008);
}
