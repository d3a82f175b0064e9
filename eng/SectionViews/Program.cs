using System.Runtime.InteropServices;
using Hyperlight;
using Hyperlight.Abstractions;
using Hyperlight.Whp;

if (Surrogate.TryRun(args))
{
    return 0;
}

// Section views on a real Windows, or on Wine: run by check.sh, which looks at the exit code.
string path = Path.Combine(Path.GetTempPath(), "section-views.bin");
byte[] content = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i + 1))];
File.WriteAllBytes(path, content);
int failures = 0;

using (IPreparedMapping mapping = new WhpHypervisor().PrepareFileMapping(path, 0x1000_0000))
{
    GuestMapping guest = mapping.ToGuestMapping();
    byte[] view = new byte[8192];
    Marshal.Copy(guest.Region.Handle.DangerousGetHandle(), view, 0, view.Length);
    byte[] read = new byte[8192];
    guest.Region.Read(0, read);
    Check("the mapping has whole pages", mapping.Size == 8192);
    Check("the view shows the file", view.AsSpan(0, 5000).SequenceEqual(content));
    Check("the view's end is zero", view.AsSpan(5000).IndexOfAnyExcept((byte)0) < 0);
    Check("the host reads the same through the handle", read.AsSpan().SequenceEqual(view));
    string seen = Surrogate.Look((FileSectionRegion)guest.Region, content.Length);
    Check("another process that is given the section maps it and sees the file, and cannot map it for writing", seen == Convert.ToHexString(content));
    Check("nobody can shorten the file", Throws<IOException>(() => Shorten(path)));
}

Check("afterwards anybody can", !Throws<IOException>(() => Shorten(path)));
File.WriteAllBytes(path, []);
Check("an empty file is refused", Throws<FileMappingException>(() => new WhpHypervisor().PrepareFileMapping(path, 0)));
File.Delete(path);
Check("a missing file is refused", Throws<FileMappingException>(() => new WhpHypervisor().PrepareFileMapping(path, 0)));
return failures;

void Check(string what, bool holds)
{
    Console.WriteLine($"{(holds ? "ok" : "FAILED")}: {what}");
    failures += holds ? 0 : 1;
}

static void Shorten(string path)
{
    using FileStream stream = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
    stream.SetLength(10);
}

static bool Throws<TException>(Action action)
    where TException : Exception
{
    try
    {
        action();
        return false;
    }
    catch (TException exception)
    {
        Console.WriteLine($"    {exception.Message}");
        return true;
    }
}
