using System.Globalization;

namespace Hyperlight.Tests;

/// <summary>What this process holds of the operating system, according to /proc, to see that nothing is leaked.</summary>
internal readonly record struct ProcessResources(
    int Descriptors, int KvmDescriptors, int Mappings, int Threads, long ResidentKilobytes, long PrivateKilobytes)
{
    /// <summary>Counts now.</summary>
    public static ProcessResources Count()
    {
        string[] descriptors = Directory.GetFiles("/proc/self/fd");
        int kvm = descriptors.Select(TargetOf).Count(static target =>
            target is "/dev/kvm" || target?.StartsWith("anon_inode:kvm", StringComparison.Ordinal) == true);
        return new ProcessResources(
            descriptors.Length,
            kvm,
            File.ReadLines("/proc/self/maps").Count(),
            Directory.GetDirectories("/proc/self/task").Length,
            Kilobytes("/proc/self/status", "VmRSS:"),
            Kilobytes("/proc/self/smaps_rollup", "Private_"));
    }

    /// <summary>Counts what remains once garbage is collected.</summary>
    public static ProcessResources CountAfterCollection()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return Count();
    }

    /// <summary>Counts the descriptors of KVM once those are closed that other tests have dropped, which can take several collections.</summary>
    public static int CountKvmDescriptorsAfterCollections()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return Count().KvmDescriptors;
    }

    /// <summary>The sum of the lines that begin so.</summary>
    private static long Kilobytes(string file, string prefix) => File.ReadLines(file)
        .Where(line => line.StartsWith(prefix, StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture));

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
