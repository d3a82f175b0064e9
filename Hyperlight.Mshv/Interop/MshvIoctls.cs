namespace Hyperlight.Mshv.Interop;

/// <summary>linux/mshv.h of Linux 6.15: request numbers, in the order of the header's objects.</summary>
internal static class MshvIoctls
{
    // The device.
    public const uint MSHV_CREATE_PARTITION = 0x4010B800;

    // A partition.
    public const uint MSHV_INITIALIZE_PARTITION = 0x0000B800;
    public const uint MSHV_CREATE_VP = 0x4004B801;
    public const uint MSHV_SET_GUEST_MEMORY = 0x4020B802;

    // A partition or a virtual processor.
    public const uint MSHV_ROOT_HVCALL = 0xC020B807;

    // A virtual processor.
    public const uint MSHV_RUN_VP = 0x8100B800;
    public const uint MSHV_GET_VP_STATE = 0xC010B801;
    public const uint MSHV_SET_VP_STATE = 0xC010B802;
}
