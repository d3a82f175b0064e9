using Hyperlight.Abstractions;

namespace Hyperlight;

/// <summary>A file or host memory that is mapped into a sandbox, or will be when it is evolved.</summary>
/// <param name="Label">Its name.</param>
/// <param name="GuestAddress">Guest physical address of the first byte. The guest maps it at virtual addresses of its choice.</param>
/// <param name="Size">Bytes, a multiple of a page.</param>
/// <param name="Permissions">What the guest can do: read or execute, but never write.</param>
/// <param name="Kind">What backs it.</param>
public readonly record struct SandboxMapping(
    string Label, ulong GuestAddress, ulong Size, MemoryFlags Permissions, MemoryRegionKind Kind);
