namespace Hyperlight.Tests.Soak;

/// <summary>
/// Compares what a process held after its warm-up with what it held at the end. The first fifth of the rounds is warm-up;
/// the last of them is compared with the last fifth, and of that with the least of each quantity, because the runtime's own
/// memory comes and goes: a leak is in every round.
/// </summary>
internal static class Flatness
{
    private const int Fifth = 5;

    /// <summary>What the runtime opens for itself.</summary>
    private const int Descriptors = 16;

    /// <summary>Segments of the collector, the compiler and the allocator. A sandbox has seven.</summary>
    private const int Mappings = 200;

    /// <summary>Threads of the pool.</summary>
    private const int Threads = 16;

    /// <summary>
    /// The emulator keeps what it has compiled for all machines, up to a limit, and paths of a guest that are seldom taken
    /// are compiled late.
    /// </summary>
    private const long ManagedBytes = 16 << 20;

    /// <summary>What the allocator keeps in pieces, and compiled code.</summary>
    private const long PrivateKilobytes = 48 << 10;

    /// <summary>What grew, each with both values; empty if nothing did.</summary>
    public static IReadOnlyList<string> Growth(IReadOnlyList<SoakSample> samples)
    {
        int part = Math.Max(1, samples.Count / Fifth);
        SoakSample warm = samples[part - 1];
        IEnumerable<SoakSample> end = samples.Skip(Math.Max(part, samples.Count - part));
        return
        [
            .. Compare("descriptors", s => s.Resources.Descriptors, Descriptors),
            .. Compare("descriptors of KVM", s => s.Resources.KvmDescriptors, 0),
            .. Compare("mappings", s => s.Resources.Mappings, Mappings),
            .. Compare("threads", s => s.Resources.Threads, Threads),
            .. Compare("managed bytes", s => s.ManagedBytes, ManagedBytes),
            .. Compare("private kilobytes", s => s.Resources.PrivateKilobytes, PrivateKilobytes),
        ];

        IEnumerable<string> Compare(string what, Func<SoakSample, long> quantity, long allowed)
        {
            long before = quantity(warm);
            long after = end.Min(quantity);
            if (after > before + allowed)
            {
                yield return $"{what}: {before} after the warm-up, {after} at the end; {allowed} more are allowed";
            }
        }
    }
}
