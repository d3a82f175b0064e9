using System.Buffers.Binary;
using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>The guest that computes, in general registers alone and with vector registers.</summary>
internal static class BenchGuest
{
    private const int ScratchSize = 8 << 20;

    private static readonly Lazy<GuestBinary> LazyBinary = new(() => Load("benchguest.elf"));
    private static readonly Lazy<GuestBinary> LazyVectorBinary = new(() => Load("benchguest-sse.elf"));

    public static GuestBinary Binary => LazyBinary.Value;

    /// <summary>The executable segment of the guest, and an address for it.</summary>
    public static (ulong Address, byte[] Bytes) Code
    {
        get
        {
            const int Loadable = 1;
            const int Executable = 1;
            const ulong LoadAddress = 0x20_0000;
            byte[] file = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "guests", "benchguest.elf"));
            int headers = (int)BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(32));
            int size = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(54));
            for (int i = 0; i < BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(56)); i++)
            {
                ReadOnlySpan<byte> header = file.AsSpan(headers + (i * size), size);
                if (BinaryPrimitives.ReadInt32LittleEndian(header) == Loadable && (header[4] & Executable) != 0)
                {
                    int offset = (int)BinaryPrimitives.ReadInt64LittleEndian(header[8..]);
                    int length = (int)BinaryPrimitives.ReadInt64LittleEndian(header[32..]);
                    return (LoadAddress + BinaryPrimitives.ReadUInt64LittleEndian(header[16..]), file[offset..(offset + length)]);
                }
            }

            throw new InvalidDataException("The benchmark guest has no executable segment.");
        }
    }

    /// <summary>The guest that has a program.</summary>
    public static GuestBinary BinaryOf(GuestProgram program) => program == GuestProgram.Matrix ? LazyVectorBinary.Value : Binary;

    public static SandboxBuilder Builder(BenchmarkDriver driver) => Builder(driver, Binary);

    /// <summary>A builder of sandboxes with room for everything that the programs write.</summary>
    public static SandboxBuilder Builder(BenchmarkDriver driver, GuestBinary guest) => new SandboxBuilder()
        .WithHypervisor(driver.Hypervisor)
        .WithConfiguration(new SandboxConfiguration { ScratchSize = ScratchSize })
        .WithGuest(guest);

    private static GuestBinary Load(string name) => GuestBinary.FromFile(Path.Combine(AppContext.BaseDirectory, "guests", name));
}
