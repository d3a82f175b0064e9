using System.Runtime.InteropServices;

namespace Hyperlight.Mshv.Interop;

/// <summary>hyperv/hvgdk_mini.h: the hypercalls that are passed through, and their status.</summary>
internal static class HvCalls
{
    public const ushort HVCALL_SET_PARTITION_PROPERTY = 0x45;
    public const ushort HVCALL_GET_VP_REGISTERS = 0x50;
    public const ushort HVCALL_SET_VP_REGISTERS = 0x51;
    public const ushort HVCALL_TRANSLATE_VIRTUAL_ADDRESS = 0x52;

    public const ushort HV_STATUS_SUCCESS = 0;
    public const ushort HV_STATUS_ACCESS_DENIED = 6;
    public const ushort HV_STATUS_OPERATION_DENIED = 8;
    public const ushort HV_STATUS_UNKNOWN_PROPERTY = 9;
    public const ushort HV_STATUS_PROPERTY_VALUE_OUT_OF_RANGE = 10;
    public const ushort HV_STATUS_INSUFFICIENT_MEMORY = 11;

    /// <summary>hyperv/hvhdk_mini.h: the features of the hypervisor that the guest sees. Before the partition is initialised.</summary>
    public const uint HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES = 0x0001_0001;

    /// <summary>hyperv/hvhdk_mini.h: the width that CPUID reports.</summary>
    public const uint HV_PARTITION_PROPERTY_PHYSICAL_ADDRESS_WIDTH = 0x0006_0006;

    // hyperv/hvhdk.h: what a translation is for, and whether there is one.
    public const ulong HV_TRANSLATE_GVA_VALIDATE_READ = 1;
    public const ulong HV_TRANSLATE_GVA_VALIDATE_EXECUTE = 4;
    public const uint HV_TRANSLATE_GVA_SUCCESS = 0;
}

/// <summary>struct hv_input_set_partition_property of hyperv/hvhdk_mini.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 24)]
internal struct HvInputSetPartitionProperty
{
    /// <summary>The kernel writes it.</summary>
    [FieldOffset(0)]
    public ulong PartitionId;

    [FieldOffset(8)]
    public uint PropertyCode;

    [FieldOffset(16)]
    public ulong PropertyValue;
}

/// <summary>What struct hv_input_get_vp_registers and struct hv_input_set_vp_registers of hyperv/hvgdk_mini.h begin with.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct HvInputVpRegisters
{
    /// <summary>The kernel writes it.</summary>
    [FieldOffset(0)]
    public ulong PartitionId;

    [FieldOffset(8)]
    public uint VpIndex;

    [FieldOffset(12)]
    public byte InputVtl;
}

/// <summary>struct hv_register_assoc of hyperv/hvgdk_mini.h: a register and its value.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct HvRegisterAssoc
{
    [FieldOffset(0)]
    public uint Name;

    [FieldOffset(16)]
    public HvRegisterValue Value;
}

/// <summary>struct hv_input_translate_virtual_address of hyperv/hvhdk.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct HvInputTranslateVirtualAddress
{
    /// <summary>The kernel writes it.</summary>
    [FieldOffset(0)]
    public ulong PartitionId;

    [FieldOffset(8)]
    public uint VpIndex;

    [FieldOffset(16)]
    public ulong ControlFlags;

    /// <summary>The page's number, not its address.</summary>
    [FieldOffset(24)]
    public ulong GvaPage;
}

/// <summary>struct hv_output_translate_virtual_address of hyperv/hvhdk.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct HvOutputTranslateVirtualAddress
{
    /// <summary>The low half of union hv_translate_gva_result.</summary>
    [FieldOffset(0)]
    public uint TranslationResult;

    /// <summary>The page's number, not its address.</summary>
    [FieldOffset(8)]
    public ulong GpaPage;
}
