using System.Runtime.InteropServices;

namespace Hyperlight.Whp.Interop;

/// <summary>securitybaseapi.h: security descriptors.</summary>
internal static unsafe partial class Advapi32
{
    public const uint SECURITY_DESCRIPTOR_REVISION = 1;

    private const string Library = "advapi32";

    [LibraryImport(Library, SetLastError = true)]
    public static partial int InitializeSecurityDescriptor(SecurityDescriptor* descriptor, uint revision);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int SetSecurityDescriptorDacl(SecurityDescriptor* descriptor, int daclPresent, void* dacl, int daclDefaulted);
}

/// <summary>SECURITY_DESCRIPTOR of winnt.h, in its absolute form. Its functions fill it; nothing here looks inside.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SecurityDescriptor
{
    public byte Revision;
    public byte Sbz1;
    public ushort Control;
    public void* Owner;
    public void* Group;
    public void* Sacl;
    public void* Dacl;
}
