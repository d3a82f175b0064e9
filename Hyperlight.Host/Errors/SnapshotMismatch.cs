namespace Hyperlight;

/// <summary>In what a snapshot and the sandbox it was to be restored into differ.</summary>
public enum SnapshotMismatch
{
    /// <summary>The sizes of code, heap, init data, buffers or scratch memory, or the permissions of the init data.</summary>
    Layout,

    /// <summary>The sandbox lacks host functions that the snapshot's guest may call, or has them with other signatures.</summary>
    HostFunctions,

    /// <summary>The hypervisor: a snapshot holds processor state that only its own kind understands.</summary>
    Hypervisor,

    /// <summary>The snapshot holds processor registers that guests cannot change on the sandbox's hypervisor.</summary>
    Registers,
}
