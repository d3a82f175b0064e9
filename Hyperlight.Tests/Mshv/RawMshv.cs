using System.Buffers.Binary;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Tests.Mshv;

/// <summary>The simulated kernel without a driver: requests as bytes, for what a driver must not do.</summary>
internal sealed unsafe class RawMshv : IDisposable
{
    private readonly List<int> _open = [];

    public RawMshv(Action<SimulatedMshvTraits>? traits = null)
    {
        traits?.Invoke(Kernel.Traits);
        Device = Opened(Kernel.Open(SimulatedMshv.DevicePath, LibC.O_RDWR | LibC.O_CLOEXEC));
    }

    public SimulatedMshv Kernel { get; } = new(LinuxKernel.Instance);

    public int Device { get; }

    /// <summary>A partition, which is initialised, and its processor.</summary>
    public (int Partition, int Vp) CreatePartition()
    {
        int partition = Opened(Create(0));
        Assert.That(Kernel.Ioctl(partition, SimulatedRequests.InitializePartition, 0), Is.Zero);
        return (partition, Opened(Ioctl(partition, SimulatedRequests.CreateVp, new byte[4])));
    }

    /// <summary>MSHV_CREATE_PARTITION.</summary>
    public int Create(ulong flags, int banks = 0, byte reserved = 0)
    {
        byte[] arguments = new byte[64];
        BinaryPrimitives.WriteUInt64LittleEndian(arguments, flags);
        BinaryPrimitives.WriteUInt16LittleEndian(arguments.AsSpan(16), (ushort)banks);
        arguments[18] = reserved;
        int fd = Ioctl(Device, SimulatedRequests.CreatePartition, arguments);
        return fd < 0 ? fd : Opened(fd);
    }

    /// <summary>MSHV_SET_GUEST_MEMORY.</summary>
    public int SetMemory(int partition, ulong address, nint host, ulong size, byte flags, byte reserved = 0)
    {
        byte[] arguments = new byte[32];
        BinaryPrimitives.WriteUInt64LittleEndian(arguments, size);
        BinaryPrimitives.WriteUInt64LittleEndian(arguments.AsSpan(8), address >> 12);
        BinaryPrimitives.WriteUInt64LittleEndian(arguments.AsSpan(16), (ulong)host);
        arguments[24] = flags;
        arguments[25] = reserved;
        return Ioctl(partition, SimulatedRequests.SetGuestMemory, arguments);
    }

    /// <summary>MSHV_ROOT_HVCALL.</summary>
    /// <returns>What the kernel returned, and what it wrote to its argument.</returns>
    public (int Result, ushort Status, ushort Reps) Hypercall(
        int fd, ushort code, ushort reps, Span<byte> input, Span<byte> output, byte reserved = 0)
    {
        byte[] arguments = new byte[32];
        fixed (byte* inputPointer = input)
        fixed (byte* outputPointer = output)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(arguments, code);
            BinaryPrimitives.WriteUInt16LittleEndian(arguments.AsSpan(2), reps);
            BinaryPrimitives.WriteUInt16LittleEndian(arguments.AsSpan(4), (ushort)input.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(arguments.AsSpan(6), (ushort)output.Length);
            arguments[10] = reserved;
            BinaryPrimitives.WriteUInt64LittleEndian(arguments.AsSpan(16), (ulong)inputPointer);
            BinaryPrimitives.WriteUInt64LittleEndian(arguments.AsSpan(24), (ulong)outputPointer);
            int result = Ioctl(fd, SimulatedRequests.RootHvcall, arguments);
            return (result, BinaryPrimitives.ReadUInt16LittleEndian(arguments.AsSpan(8)), BinaryPrimitives.ReadUInt16LittleEndian(arguments.AsSpan(2)));
        }
    }

    /// <summary>HVCALL_GET_VP_REGISTERS.</summary>
    public (int Result, ushort Status, ushort Reps, ulong[] Values) GetRegisters(int vp, params uint[] names)
    {
        byte[] input = new byte[16 + (names.Length * 4)];
        byte[] output = new byte[names.Length * 16];
        for (int i = 0; i < names.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(input.AsSpan(16 + (i * 4)), names[i]);
        }

        (int result, ushort status, ushort reps) = Hypercall(vp, 0x50, (ushort)names.Length, input, output);
        return (result, status, reps, [.. names.Select((_, i) => BinaryPrimitives.ReadUInt64LittleEndian(output.AsSpan(i * 16)))]);
    }

    /// <summary>The register page of a processor.</summary>
    public Span<byte> MapRegisterPage(int vp)
    {
        nint address = Kernel.MapMemory(4096, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED, vp);
        Assert.That((long)address, Is.GreaterThan(0));
        return new Span<byte>((void*)address, 4096);
    }

    public int Ioctl(int fd, uint request, Span<byte> argument)
    {
        fixed (byte* pointer = argument)
        {
            return Kernel.Ioctl(fd, request, (nint)pointer);
        }
    }

    public void Dispose()
    {
        for (int i = _open.Count - 1; i >= 0; i--)
        {
            Kernel.Close(_open[i]);
        }
    }

    private int Opened(int fd)
    {
        Assert.That(fd, Is.GreaterThan(0));
        _open.Add(fd);
        return fd;
    }
}
