using System.Runtime.InteropServices;

namespace Hyperlight.Tests.Whp;

/// <summary>The XSAVE image, which is in compacted form: XCOMP_BV says what it has room for.</summary>
internal sealed partial class SimulatedProcessor
{
    private const int XstateBv = 512;
    private const int XcompBv = 520;
    private const int HeaderEnd = 576;
    private const ulong Compacted = 1UL << 63;

    /// <summary>x87, SSE, and AVX, which is in its initial state as the emulator does not have it.</summary>
    private const ulong Components = 7;
    private const ulong X87AndSse = 3;

    public int GetXsave(Span<byte> buffer, out uint written)
    {
        written = (uint)partition.Platform.Traits.XsaveSize;
        if (buffer.Length < written)
        {
            return SimulatedResults.InsufficientBuffer;
        }

        Span<byte> image = stackalloc byte[machine.XsaveSize];
        machine.GetXsave(image);
        buffer.Clear();
        image[..HeaderEnd].CopyTo(buffer);
        MemoryMarshal.Write(buffer[XcompBv..], Compacted | Components);
        return SimulatedResults.Ok;
    }

    public int SetXsave(ReadOnlySpan<byte> buffer)
    {
        ulong present = MemoryMarshal.Read<ulong>(buffer[XstateBv..]);
        ulong room = MemoryMarshal.Read<ulong>(buffer[XcompBv..]);
        if (buffer.Length != partition.Platform.Traits.XsaveSize || room != (Compacted | Components)
            || (present & ~Components) != 0 || buffer[(XcompBv + 8)..HeaderEnd].ContainsAnyExcept((byte)0))
        {
            return SimulatedResults.InvalidArgument;
        }

        Span<byte> image = stackalloc byte[machine.XsaveSize];
        image.Clear();
        buffer[..HeaderEnd].CopyTo(image);
        MemoryMarshal.Write(image[XstateBv..], present & X87AndSse);
        MemoryMarshal.Write(image[XcompBv..], 0UL);
        try
        {
            machine.SetXsave(image);
            return SimulatedResults.Ok;
        }
        catch (HypervisorException)
        {
            return SimulatedResults.InvalidArgument;
        }
    }
}
