using System.Runtime.InteropServices;

namespace Hyperlight.Tests.Mshv;

/// <summary>Request numbers, each computed as the header's macros do: direction, size, the letter 0xB8, number.</summary>
internal static unsafe class SimulatedRequests
{
    public static readonly uint CreatePartition = Encode(1, 0x00, 16);
    public static readonly uint InitializePartition = Encode(0, 0x00, 0);
    public static readonly uint CreateVp = Encode(1, 0x01, 4);
    public static readonly uint SetGuestMemory = Encode(1, 0x02, 32);
    public static readonly uint RootHvcall = Encode(3, 0x07, 32);
    public static readonly uint RunVp = Encode(2, 0x00, 256);
    public static readonly uint GetVpState = Encode(3, 0x01, 16);
    public static readonly uint SetVpState = Encode(3, 0x02, 16);

    private static readonly Dictionary<uint, string> Names = new()
    {
        [CreatePartition] = "MSHV_CREATE_PARTITION",
        [InitializePartition] = "MSHV_INITIALIZE_PARTITION",
        [CreateVp] = "MSHV_CREATE_VP",
        [SetGuestMemory] = "MSHV_SET_GUEST_MEMORY",
        [RunVp] = "MSHV_RUN_VP",
        [GetVpState] = "MSHV_GET_VP_STATE",
        [SetVpState] = "MSHV_SET_VP_STATE",
    };

    private static readonly Dictionary<ushort, string> Hypercalls = new()
    {
        [0x45] = "HVCALL_SET_PARTITION_PROPERTY",
        [0x50] = "HVCALL_GET_VP_REGISTERS",
        [0x51] = "HVCALL_SET_VP_REGISTERS",
        [0x52] = "HVCALL_TRANSLATE_VIRTUAL_ADDRESS",
    };

    /// <summary>Whether a request is one of MSHV.</summary>
    public static bool Knows(uint request) => request == RootHvcall || Names.ContainsKey(request);

    /// <summary>A request by its name; a hypercall by that of its code.</summary>
    public static string Name(uint request, nint argument)
    {
        if (request != RootHvcall)
        {
            return Names.GetValueOrDefault(request, $"ioctl 0x{request:X}");
        }

        ushort code = MemoryMarshal.Read<ushort>(new ReadOnlySpan<byte>((void*)argument, sizeof(ushort)));
        return Hypercalls.GetValueOrDefault(code, $"hypercall 0x{code:X}");
    }

    private static uint Encode(uint direction, uint number, uint size) => (direction << 30) | (size << 16) | (0xB8 << 8) | number;
}
