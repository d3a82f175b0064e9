using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>Writes an archive for a test.</summary>
internal sealed class TarFile
{
    private readonly List<PaxTarEntry> _entries = [];

    /// <summary>An archive of one empty file, whose name is in its header and nowhere else.</summary>
    public static byte[] Plain(string name)
    {
        var bytes = new MemoryStream();
        using (var writer = new TarWriter(bytes, TarEntryFormat.Ustar, leaveOpen: true))
        {
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name));
        }

        return bytes.ToArray();
    }

    public TarFile File(string name, string text = "", UnixFileMode mode = UnixFileMode.UserRead)
    {
        PaxTarEntry entry = Entry(TarEntryType.RegularFile, name);
        entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return Add(entry, mode);
    }

    public TarFile Directory(string name, UnixFileMode mode = UnixFileMode.UserRead) => Add(Entry(TarEntryType.Directory, name), mode);

    public TarFile Link(string name, string target) => Add(Entry(TarEntryType.SymbolicLink, name, target), default);

    public TarFile HardLink(string name, string target) => Add(Entry(TarEntryType.HardLink, name, target), default);

    public TarFile Special(string name, TarEntryType type) => Add(Entry(type, name), default);

    public TarFile Whiteout(string name) => File(name);

    public byte[] Bytes()
    {
        var bytes = new MemoryStream();
        using (var writer = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            _entries.ForEach(writer.WriteEntry);
        }

        return bytes.ToArray();
    }

    public byte[] Compressed() => Compress(Bytes());

    public static byte[] Compress(byte[] bytes)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }

        return compressed.ToArray();
    }

    /// <summary>An entry whose bytes do not depend on the time at which it is made.</summary>
    public static PaxTarEntry Entry(TarEntryType type, string name, string? target = null)
    {
        var entry = new PaxTarEntry(type, name, new Dictionary<string, string> { ["atime"] = "1000000000", ["ctime"] = "1000000000" });
        if (target is not null)
        {
            entry.LinkName = target;
        }

        return entry;
    }

    private TarFile Add(PaxTarEntry entry, UnixFileMode mode)
    {
        entry.Mode = mode;
        entry.Uid = 5;
        entry.Gid = 6;
        entry.ModificationTime = DateTimeOffset.FromUnixTimeSeconds(1_000_000_000).AddMilliseconds(500);
        _entries.Add(entry);
        return this;
    }
}
