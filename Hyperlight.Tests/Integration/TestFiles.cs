using System.Buffers.Binary;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration;

/// <summary>A directory of files to map into guests, and what guests find in them.</summary>
internal sealed class TestFiles : IDisposable
{
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("hyperlight-").FullName;

    /// <summary>Bytes of which no two pages are alike.</summary>
    public static byte[] Content(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)((i * 7) + (i >> 8) + 1))];

    /// <summary>The eight bytes of <see cref="Content"/> at an offset.</summary>
    public static ulong Word(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(Content(offset + 8).AsSpan(offset));

    /// <summary>Opens a file as a program does that does not know that guests map it.</summary>
    public static FileStream OpenForChange(string path) => new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);

    public static void Truncate(string path, long length)
    {
        using FileStream stream = OpenForChange(path);
        stream.SetLength(length);
    }

    /// <summary>Memory of this process that can be mapped into a guest.</summary>
    public static Memory<byte> PageAligned(int size)
    {
        byte[] array = GC.AllocateArray<byte>(size + GuestPage.Size, pinned: true);
        nint address = System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(array, 0);
        return array.AsMemory((int)(GuestPage.RoundUp((ulong)address) - (ulong)address), size);
    }

    public string New(string name, int length) => New(name, Content(length));

    public string New(string name, byte[] content)
    {
        string path = Path.Combine(Directory, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>A file of nothing but zeros and the words given, which takes no room on disk.</summary>
    public string NewSparse(string name, long length, params (long Offset, ulong Value)[] words)
    {
        string path = Path.Combine(Directory, name);
        using FileStream stream = File.Create(path);
        stream.SetLength(length);
        foreach ((long offset, ulong value) in words)
        {
            stream.Position = offset;
            stream.Write(BitConverter.GetBytes(value));
        }

        return path;
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}
