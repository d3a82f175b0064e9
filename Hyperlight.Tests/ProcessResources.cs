using System.Globalization;

namespace Hyperlight.Tests;

/// <summary>What this process holds of the operating system, according to /proc, to see that nothing is leaked.</summary>
internal readonly record struct ProcessResources(int Descriptors, int KvmDescriptors, int Mappings, long ResidentKilobytes)
{
    /// <summary>Counts now.</summary>
    public static ProcessResources Count()
    {
        string[] descriptors = Directory.GetFiles("/proc/self/fd");
        int kvm = descriptors.Select(TargetOf).Count(static target =>
            target is "/dev/kvm" || target?.StartsWith("anon_inode:kvm", StringComparison.Ordinal) == true);
        return new ProcessResources(descriptors.Length, kvm, File.ReadLines("/proc/self/maps").Count(), Resident());
    }

    /// <summary>Counts what remains once garbage is collected.</summary>
    public static ProcessResources CountAfterCollection()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return Count();
    }

    private static long Resident()
    {
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    /// <summary>What a descriptor is open on; null for the one that listed the directory, which is closed by now.</summary>
    private static string? TargetOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
