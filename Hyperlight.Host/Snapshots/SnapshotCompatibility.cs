using Hyperlight.Host.Functions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Memory.Mappings;

namespace Hyperlight.Host.Snapshots;

/// <summary>Which sandboxes a snapshot can be restored into.</summary>
internal static class SnapshotCompatibility
{
    /// <exception cref="SnapshotMismatchException">Not into one of this layout.</exception>
    public static void CheckLayout(SnapshotContent snapshot, GuestMemoryLayout layout)
    {
        if (snapshot.Image.Layout != layout)
        {
            throw new SnapshotMismatchException(
                SnapshotMismatch.Layout, $"Its memory is laid out for {snapshot.Image.Layout}; the sandbox's for {layout}.");
        }
    }

    /// <exception cref="SnapshotMismatchException">Not into one on this hypervisor.</exception>
    public static void CheckHypervisor(SnapshotContent snapshot, string hypervisor)
    {
        if (snapshot.Hypervisor != hypervisor)
        {
            throw new SnapshotMismatchException(
                SnapshotMismatch.Hypervisor, $"It was taken on {snapshot.Hypervisor}; the sandbox runs on {hypervisor}.");
        }
    }

    /// <exception cref="SnapshotMismatchException">Not into one with these host functions.</exception>
    public static void CheckFunctions(SnapshotContent snapshot, HostFunctionTable functions)
    {
        // By index: this is part of each restore, which allocates nothing.
        for (int i = 0; i < snapshot.HostFunctions.Count; i++)
        {
            HostFunctionSignature signature = snapshot.HostFunctions[i];
            if (functions.Find(signature.Name) is not { } function || !signature.Matches(function))
            {
                throw FunctionsMismatch(snapshot, functions);
            }
        }
    }

    /// <exception cref="SnapshotMismatchException">Not into one with these mappings.</exception>
    public static void CheckMappings(SnapshotContent snapshot, IReadOnlyList<MappedRegion> regions)
    {
        // By index: this is part of each restore, which allocates nothing.
        for (int i = 0; i < snapshot.Mappings.Count; i++)
        {
            RetainedMapping mapping = snapshot.Mappings[i];
            if (!Contains(regions, mapping))
            {
                throw new SnapshotMismatchException(SnapshotMismatch.Mappings, $"The sandbox lacks the mapped file {mapping}.");
            }
        }
    }

    private static SnapshotMismatchException FunctionsMismatch(SnapshotContent snapshot, HostFunctionTable functions)
    {
        List<string> missing = [];
        List<string> changed = [];
        foreach (HostFunctionSignature signature in snapshot.HostFunctions)
        {
            if (functions.Find(signature.Name) is not { } function)
            {
                missing.Add(signature.ToString());
            }
            else if (!signature.Matches(function))
            {
                changed.Add(signature.ToString());
            }
        }

        return new SnapshotMismatchException(
            SnapshotMismatch.HostFunctions,
            $"Host functions of the snapshot that the sandbox lacks: {List(missing)}; that it has with other types: {List(changed)}.",
            missing,
            changed);
    }

    private static bool Contains(IReadOnlyList<MappedRegion> regions, RetainedMapping mapping)
    {
        for (int i = 0; i < regions.Count; i++)
        {
            if (regions[i].IsRetained && RetainedMapping.Of(regions[i]) == mapping)
            {
                return true;
            }
        }

        return false;
    }

    private static string List(List<string> signatures) => signatures.Count == 0 ? "none" : string.Join(", ", signatures);
}
