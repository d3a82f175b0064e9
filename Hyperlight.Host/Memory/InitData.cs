using Hyperlight.Abstractions;

namespace Hyperlight.Host.Memory;

/// <summary>Bytes that the host hands to the guest with its image, and what the guest may do with them.</summary>
internal readonly record struct InitData(ReadOnlyMemory<byte> Bytes, MemoryFlags Flags)
{
    public static InitData None => new(default, MemoryFlags.Read);
}
