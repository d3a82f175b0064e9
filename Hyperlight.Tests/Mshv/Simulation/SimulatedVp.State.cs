using System.Runtime.InteropServices;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>
/// MSHV_GET_VP_STATE and MSHV_SET_VP_STATE of the XSAVE image, which is in compacted form: XCOMP_BV says what it has room
/// for.
/// </summary>
internal sealed unsafe partial class SimulatedVp
{
    private const byte Xsave = 1;
    private const int PageMask = 0xFFF;
    private const int XstateBv = 512;
    private const int XcompBv = 520;
    private const int HeaderEnd = 576;
    private const ulong Compacted = 1UL << 63;

    /// <summary>x87, SSE, and AVX, which is in its initial state as the emulator does not have it.</summary>
    private const ulong Components = 7;
    private const ulong X87AndSse = 3;

    private int GetState(Span<byte> arguments)
    {
        int result = Check(arguments, out Span<byte> buffer);
        if (result < 0)
        {
            return result;
        }

        Span<byte> image = stackalloc byte[machine.XsaveSize];
        machine.GetXsave(image);
        buffer.Clear();
        image[..HeaderEnd].CopyTo(buffer);
        MemoryMarshal.Write(buffer[XcompBv..], Compacted | Components);
        return 0;
    }

    private int SetState(Span<byte> arguments)
    {
        int result = Check(arguments, out Span<byte> buffer);
        if (result < 0)
        {
            return result;
        }

        ulong present = MemoryMarshal.Read<ulong>(buffer[XstateBv..]);
        ulong room = MemoryMarshal.Read<ulong>(buffer[XcompBv..]);
        if (room != (Compacted | Components) || (present & ~Components) != 0 || buffer[(XcompBv + 8)..HeaderEnd].ContainsAnyExcept((byte)0))
        {
            return -Errno.EINVAL;
        }

        Span<byte> image = stackalloc byte[machine.XsaveSize];
        image.Clear();
        buffer[..HeaderEnd].CopyTo(image);
        MemoryMarshal.Write(image[XstateBv..], present & X87AndSse);
        MemoryMarshal.Write(image[XcompBv..], 0UL);
        try
        {
            machine.SetXsave(image);
            return 0;
        }
        catch (HypervisorException)
        {
            return -Errno.EINVAL;
        }
    }

    private int Check(Span<byte> arguments, out Span<byte> buffer)
    {
        int needed = partition.Kernel.Traits.XsaveSize;
        uint size = MemoryMarshal.Read<uint>(arguments[4..]);
        nint address = MemoryMarshal.Read<nint>(arguments[8..]);
        buffer = default;
        if (arguments[0] != Xsave || arguments[1..4].ContainsAnyExcept((byte)0) || size == 0
            || (size & PageMask) != 0 || address == 0 || (address & PageMask) != 0)
        {
            return -Errno.EINVAL;
        }

        MemoryMarshal.Write(arguments[4..], (uint)needed);
        if (size < needed)
        {
            return -Errno.EINVAL;
        }

        buffer = new Span<byte>((void*)address, needed);
        return 0;
    }
}
