using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Hyperlight.Tests.Kvm;

namespace Hyperlight.Tests.Mshv;

/// <summary>Writes down the bytes of every request to the device, without the addresses in them, which are never the same.</summary>
internal sealed unsafe class RecordingMshv(SimulatedMshv kernel) : ForwardingKernel(kernel)
{
    private const int RowSize = 32;
    private const uint FirstRequestWithInput = 0x4000_0000;
    private readonly StringBuilder _text = new();

    /// <summary>What was written down.</summary>
    public string Text => _text.ToString();

    /// <summary>Begins a part.</summary>
    public void Begin(string part) => _text.AppendLine(CultureInfo.InvariantCulture, $"# {part}");

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
        _text.AppendLine(CultureInfo.InvariantCulture, $"{SimulatedRequests.Name(request, argument)} 0x{request:X8}");
        if (request == SimulatedRequests.RunVp || request < FirstRequestWithInput)
        {
            return;
        }

        // The longer structure is passed under the number of the shorter one.
        int size = request == SimulatedRequests.CreatePartition ? 64 : (int)((request >> 16) & 0x3FFF);
        Span<byte> bytes = new((void*)argument, size);
        Range addresses = AddressesOf(request);
        Write("argument", bytes, addresses);
        if (request == SimulatedRequests.RootHvcall)
        {
            Write("input", new Span<byte>((void*)MemoryMarshal.Read<nint>(bytes[16..]), MemoryMarshal.Read<ushort>(bytes[4..])), default);
        }
        else if (request == SimulatedRequests.SetVpState)
        {
            Write("input", new Span<byte>((void*)MemoryMarshal.Read<nint>(bytes[8..]), (int)MemoryMarshal.Read<uint>(bytes[4..])), default);
        }
    }

    private static Range AddressesOf(uint request) => request switch
    {
        _ when request == SimulatedRequests.SetGuestMemory => 16..24,
        _ when request == SimulatedRequests.RootHvcall => 16..32,
        _ when request == SimulatedRequests.GetVpState || request == SimulatedRequests.SetVpState => 8..16,
        _ => default,
    };

    /// <summary>Rows that are not zero.</summary>
    private void Write(string name, ReadOnlySpan<byte> bytes, Range addresses)
    {
        for (int row = 0; row < bytes.Length; row += RowSize)
        {
            ReadOnlySpan<byte> part = bytes[row..Math.Min(row + RowSize, bytes.Length)];
            if (!part.ContainsAnyExcept((byte)0) && row > 0)
            {
                continue;
            }

            _text.Append(CultureInfo.InvariantCulture, $"  {name} +{row:X3}");
            for (int i = 0; i < part.Length; i++)
            {
                bool isAddress = row + i >= addresses.Start.Value && row + i < addresses.End.Value;
                _text.Append(i % sizeof(ulong) == 0 ? " " : string.Empty).Append(isAddress ? "--" : part[i].ToString("X2", CultureInfo.InvariantCulture));
            }

            _text.AppendLine();
        }
    }
}
