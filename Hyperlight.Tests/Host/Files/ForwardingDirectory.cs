using Hyperlight.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Tests.Host.Files;

/// <summary>Does everything in another directory. Tests override what others do meanwhile.</summary>
internal class ForwardingDirectory(OpenDirectory inner) : OpenDirectory
{
    protected OpenDirectory Inner => inner;

    public override string? OtherWriters => inner.OtherWriters;

    public override OpenDirectory? TryOpenDirectory(string name) => inner.TryOpenDirectory(name);

    public override bool CreateDirectory(string name) => inner.CreateDirectory(name);

    public override SafeFileHandle? TryOpenFile(string name) => inner.TryOpenFile(name);

    public override SafeFileHandle CreateFile(string name) => inner.CreateFile(name);

    public override LockResult TryLock(string name, bool create, out SafeFileHandle? file) => inner.TryLock(name, create, out file);

    public override void Rename(string name, string newName) => inner.Rename(name, newName);

    public override void DeleteFile(string name) => inner.DeleteFile(name);

    public override void DeleteDirectory(string name) => inner.DeleteDirectory(name);

    public override IReadOnlyList<string> Names() => inner.Names();

    public override void Dispose() => inner.Dispose();
}
