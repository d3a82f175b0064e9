using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Tests.Whp;

/// <summary>The memory of a section.</summary>
internal sealed partial class SimulatedSection : IDisposable
{
    private const uint CloseOnExec = 1;
    private const byte AppendedByte = 0xAA;
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

    /// <summary>
    /// Copies a file. On Windows the rest of the last page shows what is appended to the file later; here it shows that from the
    /// start.
    /// </summary>
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

        byte[] appended = new byte[GuestPage.RoundUp(Size) - Size];
        Array.Fill(appended, AppendedByte);
        RandomAccess.Write(_memory, appended, (long)Size);
    }

    public void Dispose() => _memory.Dispose();

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle CreateMemory(string name, uint flags);
}
