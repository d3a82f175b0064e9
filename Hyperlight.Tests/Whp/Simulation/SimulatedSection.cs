using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Tests.Whp;

/// <summary>The memory of a section.</summary>
internal sealed partial class SimulatedSection : IDisposable
{
    private const uint CloseOnExec = 1;
    private readonly SafeFileHandle _memory;

    private SimulatedSection(SafeFileHandle memory, ulong size, bool isOfFile)
    {
        _memory = memory;
        Size = size;
        IsOfFile = isOfFile;
    }

    /// <summary>Bytes, not necessarily of whole pages.</summary>
    public ulong Size { get; }

    /// <summary>Whether it may only be read.</summary>
    public bool IsOfFile { get; private set; }

    public int Descriptor => (int)_memory.DangerousGetHandle();

    public static SimulatedSection? Create(ulong size)
    {
        SafeFileHandle memory = CreateMemory("section", CloseOnExec);
        if (memory.IsInvalid)
        {
            return null;
        }

        RandomAccess.SetLength(memory, (long)size);
        return new SimulatedSection(memory, size, isOfFile: false);
    }

    /// <summary>Copies a file.</summary>
    public void Fill(SafeFileHandle file)
    {
        IsOfFile = true;
        byte[] buffer = new byte[1 << 20];
        for (long offset = 0; offset < (long)Size;)
        {
            int read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, (long)Size - offset)), offset);
            if (read == 0)
            {
                break;
            }

            // Holes of sparse files stay holes.
            if (buffer.AsSpan(0, read).ContainsAnyExcept((byte)0))
            {
                RandomAccess.Write(_memory, buffer.AsSpan(0, read), offset);
            }

            offset += read;
        }
    }

    public void Dispose() => _memory.Dispose();

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle CreateMemory(string name, uint flags);
}
