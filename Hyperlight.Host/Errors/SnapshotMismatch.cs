namespace Hyperlight;

/// <summary>The kind of difference between a snapshot and a sandbox.</summary>
public enum SnapshotMismatch
{
    /// <summary>The sizes of code, heap, init data, buffers or scratch memory, or the permissions of the init data.</summary>
    Layout,

    /// <summary>The sandbox lacks host functions that the snapshot's guest may call, or has them with other signatures.</summary>
    HostFunctions,

    /// <summary>The hypervisor: the processor state of a snapshot depends on the hypervisor.</summary>
    Hypervisor,

    /// <summary>The snapshot has processor registers that guests cannot change on the sandbox's hypervisor.</summary>
    Registers,

    /// <summary>The sandbox does not map a file that the snapshot refers to.</summary>
    Mappings,
}
