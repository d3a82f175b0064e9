using System.Runtime.InteropServices;
using Hyperlight.Tests.Golden;
using Hyperlight.Tests.Kvm;

namespace Hyperlight.Tests.Mshv;

/// <summary>Writes down the bytes of every request to the device, without the addresses in them, which are never the same.</summary>
internal sealed unsafe class RecordingMshv(SimulatedMshv kernel) : ForwardingKernel(kernel)
{
    private const uint FirstRequestWithInput = 0x4000_0000;

    /// <summary>What was written down.</summary>
    public GoldenText Text { get; } = new();

    public override int Ioctl(int fd, uint request, nint argument)
    {
        if (SimulatedRequests.Knows(request))
        {
            Record(request, argument);
        }

        return base.Ioctl(fd, request, argument);
    }

    private void Record(uint request, nint argument)
    {
        Text.Line($"{SimulatedRequests.Name(request, argument)} 0x{request:X8}");
        if (request == SimulatedRequests.RunVp || request < FirstRequestWithInput)
        {
            return;
        }

        // The longer structure is passed under the number of the shorter one.
        int size = request == SimulatedRequests.CreatePartition ? 64 : (int)((request >> 16) & 0x3FFF);
        Span<byte> bytes = new((void*)argument, size);
        Range addresses = AddressesOf(request);
        Text.Bytes("argument", bytes, addresses);
        if (request == SimulatedRequests.RootHvcall)
        {
            Text.Bytes("input", new Span<byte>((void*)MemoryMarshal.Read<nint>(bytes[16..]), MemoryMarshal.Read<ushort>(bytes[4..])));
        }
        else if (request == SimulatedRequests.SetVpState)
        {
            Text.Bytes("input", new Span<byte>((void*)MemoryMarshal.Read<nint>(bytes[8..]), (int)MemoryMarshal.Read<uint>(bytes[4..])));
        }
    }

    private static Range AddressesOf(uint request) => request switch
    {
        _ when request == SimulatedRequests.SetGuestMemory => 16..24,
        _ when request == SimulatedRequests.RootHvcall => 16..32,
        _ when request == SimulatedRequests.GetVpState || request == SimulatedRequests.SetVpState => 8..16,
        _ => default,
    };
}
