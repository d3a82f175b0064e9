using System.Runtime.InteropServices;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>What tests do on Linux that .NET has no method for.</summary>
internal static partial class TestLinux
{
    /// <summary>Gives a file another name.</summary>
    public static void Link(string path, string name) => Assert.That(link(path, name), Is.Zero, Marshal.GetLastPInvokeErrorMessage());

    /// <summary>Gives a file to another user. Only the superuser may; ignores the test for others.</summary>
    public static void ChangeOwner(string path, uint user)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("Only the superuser of Linux may give a file to another user.");
        }

        Assert.That(chown(path, user, user), Is.Zero, Marshal.GetLastPInvokeErrorMessage());
    }

    /// <summary>Does something with files as another user. Only the superuser can; ignores the test for others.</summary>
    public static void ActAs(uint user, Action action)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("Only the superuser of Linux may act as another user.");
        }

        int self = setfsuid(user);
        try
        {
            Assert.That((uint)setfsuid(user), Is.EqualTo(user));
            action();
        }
        finally
        {
            setfsuid((uint)self);
        }
    }

    /// <summary>Of this thread alone.</summary>
    [LibraryImport("libc")]
    private static partial int setfsuid(uint user);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chown(string path, uint user, uint group);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string path, string name);
}
