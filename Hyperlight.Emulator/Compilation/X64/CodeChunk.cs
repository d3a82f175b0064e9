using System.Runtime.InteropServices;
using Hyperlight.Emulator.Compilation.X64.Interop;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Memory for emitted code. It is mapped twice, so that no address is both writable and executable. It is freed when nothing
/// refers to it any more: neither the arena nor any code in it.
/// </summary>
internal sealed unsafe class CodeChunk : SafeHandle
{
    public const int Size = 256 << 10;

    private const int CodeAlignment = 16;

    private static int _count;

    private readonly nint _writable;
    private readonly Action _freed;
    private int _used;

    private CodeChunk(nint writable, nint executable, Action freed)
        : base(0, ownsHandle: true)
    {
        _writable = writable;
        _freed = freed;
        SetHandle(executable);
        GC.AddMemoryPressure(Size);
        Interlocked.Increment(ref _count);
    }

    /// <summary>How many there are in this process.</summary>
    public static int Count => Volatile.Read(ref _count);

    public override bool IsInvalid => handle == 0;

    /// <summary>Maps memory.</summary>
    /// <param name="freed">Called when it is unmapped, from any thread.</param>
    /// <param name="error">Why there is none: an error number of the operating system.</param>
    public static CodeChunk? TryCreate(Action freed, out int error)
    {
        nint writable = 0;
        nint executable = 0;
        error = OperatingSystem.IsWindows() ? WindowsMemory.TryMap(Size, out writable, out executable)
            : LinuxMemory.TryMap(Size, out writable, out executable);
        return error == 0 ? new CodeChunk(writable, executable, freed) : null;
    }

    /// <summary>Copies code into it. Not for more than one thread at a time.</summary>
    /// <returns>Where it can be executed, or 0 if there is no room for it.</returns>
    public nint Add(ReadOnlySpan<byte> code)
    {
        if (code.Length > Size - _used)
        {
            return 0;
        }

        int at = _used;
        code.CopyTo(new Span<byte>((byte*)_writable + at, code.Length));
        _used = (at + code.Length + CodeAlignment - 1) & ~(CodeAlignment - 1);
        return handle + at;
    }

    protected override bool ReleaseHandle()
    {
        if (OperatingSystem.IsWindows())
        {
            WindowsMemory.Free(_writable, handle);
        }
        else
        {
            LinuxMemory.Free(Size, _writable, handle);
        }

        GC.RemoveMemoryPressure(Size);
        Interlocked.Decrement(ref _count);
        _freed();
        return true;
    }
}
