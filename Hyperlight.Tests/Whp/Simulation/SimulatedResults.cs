namespace Hyperlight.Tests.Whp;

/// <summary>HRESULT values, as winerror.h has them.</summary>
internal static class SimulatedResults
{
    public const int Ok = 0;
    public const int Fail = unchecked((int)0x8000_4005);
    public const int NotImplemented = unchecked((int)0x8000_4001);
    public const int AccessDenied = unchecked((int)0x8007_0005);
    public const int InvalidArgument = unchecked((int)0x8007_0057);
    public const int UnknownCapability = unchecked((int)0x8037_0300);
    public const int InsufficientBuffer = unchecked((int)0x8037_0301);
    public const int UnknownProperty = unchecked((int)0x8037_0302);
    public const int InvalidPartitionConfig = unchecked((int)0x8037_0304);
    public const int GpaRangeNotFound = unchecked((int)0x8037_0305);
    public const int VpAlreadyExists = unchecked((int)0x8037_0306);
    public const int VpDoesNotExist = unchecked((int)0x8037_0307);
    public const int InvalidVpState = unchecked((int)0x8037_0308);
    public const int InvalidRegisterName = unchecked((int)0x8037_0309);
    public const int PartitionAlreadyExists = unchecked((int)0xC037_0008);
}
