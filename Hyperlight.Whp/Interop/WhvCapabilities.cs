using System.Runtime.InteropServices;

namespace Hyperlight.Whp.Interop;

/// <summary>WHV_CAPABILITY_CODE and the bits of WHV_CAPABILITY_FEATURES.</summary>
internal static class WhvCapabilities
{
    public const uint WHvCapabilityCodeHypervisorPresent = 0x0000_0000;
    public const uint WHvCapabilityCodeFeatures = 0x0000_0001;
    public const uint WHvCapabilityCodeProcessorFeaturesBanks = 0x0000_1006;
}

/// <summary>WHV_CAPABILITY_FEATURES: the places of the bits. The header has them as bit fields.</summary>
internal static class WhvCapabilityFeatures
{
    public const int PartialUnmap = 0;
    public const int LocalApicEmulation = 1;
    public const int Xsave = 2;
    public const int DirtyPageTracking = 3;
    public const int SpeculationControl = 4;
}

/// <summary>WHV_PROCESSOR_FEATURES_BANKS: what the processors of a partition have.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WhvProcessorFeaturesBanks
{
    public const uint WHV_PROCESSOR_FEATURES_BANKS_COUNT = 2;

    public uint BanksCount;
    public uint Reserved0;
    public ulong Bank0;
    public ulong Bank1;
}

/// <summary>WHV_PROCESSOR_FEATURES: the places of the bits that guests are not given.</summary>
internal static class WhvProcessorFeatures
{
    public const int PcidSupport = 18;
    public const int InvpcidSupport = 43;
    public const int IbrsSupport = 44;
    public const int StibpSupport = 45;
    public const int IbpbSupport = 46;
    public const int SsbdSupport = 48;
    public const int IbrsAllSupport = 52;
    public const int TsxCtrlSupport = 62;
}

/// <summary>WHV_PROCESSOR_FEATURES1: the places of the bits that guests are not given.</summary>
internal static class WhvProcessorFeatures1
{
    public const int ACountMCountSupport = 0;
    public const int RdpruSupport = 3;
    public const int NestedVirtSupport = 6;
    public const int PsfdSupport = 7;
    public const int CetSsSupport = 8;
    public const int CetIbtSupport = 9;
    public const int VmxExceptionInjectSupport = 10;
    public const int UmwaitTpauseSupport = 12;
    public const int TscDeadlineTmrSupport = 17;
}
