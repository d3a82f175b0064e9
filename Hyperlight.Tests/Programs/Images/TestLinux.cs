using System.Runtime.InteropServices;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>What tests do on Linux that .NET has no method for.</summary>
internal static partial class TestLinux
{
    /// <summary>Gives a file another name.</summary>
    public static void Link(string path, string name) => Assert.That(link(path, name), Is.Zero, Marshal.GetLastPInvokeErrorMessage());

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string path, string name);
}
