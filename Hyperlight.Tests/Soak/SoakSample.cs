using System.Globalization;

namespace Hyperlight.Tests.Soak;

/// <summary>What the process holds while the threads of the soak rest.</summary>
/// <param name="Resources">Of the operating system.</param>
/// <param name="ManagedBytes">Bytes of the managed heap that are in use.</param>
internal readonly record struct SoakSample(ProcessResources Resources, long ManagedBytes)
{
    private const double Mebibyte = 1 << 20;

    /// <summary>Counts what remains once garbage is collected.</summary>
    public static SoakSample Take()
    {
        // A finalizer may release an object that has a finalizer of its own.
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return new SoakSample(ProcessResources.CountAfterCollection(), GC.GetTotalMemory(forceFullCollection: false));
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"managed {ManagedBytes / Mebibyte:F1} MiB, private {Resources.PrivateKilobytes / 1024.0:F1} MiB, {Resources.Descriptors} descriptors"
        + $" ({Resources.KvmDescriptors} of KVM), {Resources.Mappings} mappings, {Resources.Threads} threads");
}
