using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Programs.Images;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs;

/// <summary>A sandbox of the kernel with a loaded program, and the snapshot from which each run starts.</summary>
internal sealed class KernelSandbox : IDisposable
{
    /// <summary>The largest number of bytes of a stream in one call.</summary>
    public const int MostBytes = 0x4000;

    // The kernel's own heap is below the addresses of programs; its buffers hold a call with all arguments.
    private const ulong HeapSize = 0x10_0000;
    private const int BufferSize = 0x4_0000;
    private const ulong KernelMemory = 0x40_0000;

    /// <summary>Where the kernel finds the executable while it loads it.</summary>
    private const ulong ImageAddress = 0x1_0000_0000;

    private static readonly Lazy<GuestBinary> Kernel =
        new(static () => GuestBinary.FromResource(typeof(KernelSandbox).Assembly, "linux.elf"));

    private readonly MultiUseSandbox _sandbox;
    private readonly Snapshot _snapshot;
    private ProgramStreams? _streams;

    /// <exception cref="ProgramImageException">The kernel does not run the executable.</exception>
    public KernelSandbox(ProgramTemplate template, CancellationToken cancellationToken)
    {
        SandboxBuilder builder = template.CreateBuilder()
            .WithGuest(Kernel.Value)
            .WithConfiguration(new SandboxConfiguration
            {
                HeapSize = HeapSize,
                InputBufferSize = BufferSize,
                OutputBufferSize = BufferSize,
                ScratchSize = ScratchSize(template.Limits.Memory),
            })
            .WithHostFunction("ProgramWrite", ValueTask<int> (int stream, byte[] bytes, CancellationToken token) => Streams.WriteAsync(stream, bytes, token))
            .WithHostFunction("ProgramRead", ValueTask<ReadOnlyMemory<byte>> (int size, CancellationToken token) => Streams.ReadAsync(size, token))
            .WithHostFunction("ProgramClock", long (bool isMonotonic) => Streams.Clock(isMonotonic))
            .WithHostFunction("ProgramSleep", Task (long nanoseconds, CancellationToken token) => ProgramStreams.Sleep(nanoseconds, token));
        _sandbox = builder.Build(cancellationToken);
        try
        {
            Load(template.Image, cancellationToken);
            _snapshot = _sandbox.TakeSnapshot();
        }
        catch
        {
            _sandbox.Dispose();
            throw;
        }
    }

    private ProgramStreams Streams => _streams ?? throw new InvalidOperationException("No program runs.");

    /// <summary>Runs the program from the snapshot.</summary>
    public async Task<ProgramReport> RunAsync(byte[] request, ProgramStreams streams, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        _sandbox.Restore(_snapshot);
        _streams = streams;
        try
        {
            byte[] report = await _sandbox.CallAsync<byte[]>("RunProgram", [request], timeLimit, cancellationToken).ConfigureAwait(false);
            return ProgramReport.Parse(report);
        }
        finally
        {
            _streams = null;
        }
    }

    public void Dispose()
    {
        _sandbox.Dispose();
        _snapshot.Dispose();
    }

    private static ulong ScratchSize(long memory) =>
        GuestPage.RoundUp((ulong)memory) + ((ulong)memory / 512 / GuestPage.Size * GuestPage.Size) + KernelMemory;

    /// <summary>The kernel maps the pages, so that they are part of the snapshot; afterwards the executable is not needed any more.</summary>
    private void Load(ProgramImage image, CancellationToken cancellationToken)
    {
        byte[] executable = ReadExecutable(image, image.Build(null, cancellationToken));
        using HostMemoryRegion region = HostMemoryRegion.Pin(AlignedCopy(executable));
        _sandbox.MapRegion(region, ImageAddress, MemoryFlags.Read, "executable");
        try
        {
            _sandbox.Call("LoadProgram", [ImageAddress, (ulong)executable.Length], cancellationToken);
        }
        catch (GuestErrorException exception)
        {
            throw new ProgramImageException(image.Name, exception.GuestMessage, null, exception);
        }
    }

    /// <summary>The kernel runs images of one file, which is the second node.</summary>
    private static byte[] ReadExecutable(ProgramImage image, ProgramImageFile built)
    {
        if (image.Executable is null)
        {
            throw new ProgramImageException(image.Name, "programs of several files are not supported yet");
        }

        using SafeFileHandle file = File.OpenHandle(built.Path);
        Span<byte> node = stackalloc byte[ImageLayout.NodeSize];
        RandomAccess.Read(file, node, GuestPage.Size + ImageLayout.NodeSize);
        var executable = new byte[BinaryPrimitives.ReadInt64LittleEndian(node[16..])];
        RandomAccess.Read(file, executable, BinaryPrimitives.ReadInt64LittleEndian(node[40..]));
        return executable;
    }

    private static Memory<byte> AlignedCopy(ReadOnlySpan<byte> bytes)
    {
        var size = (int)GuestPage.RoundUp((ulong)bytes.Length);
        byte[] memory = GC.AllocateArray<byte>(size + (int)GuestPage.Size, pinned: true);
        var offset = (int)(GuestPage.RoundUp((ulong)Marshal.UnsafeAddrOfPinnedArrayElement(memory, 0)) - (ulong)Marshal.UnsafeAddrOfPinnedArrayElement(memory, 0));
        bytes.CopyTo(memory.AsSpan(offset));
        return memory.AsMemory(offset, size);
    }
}
