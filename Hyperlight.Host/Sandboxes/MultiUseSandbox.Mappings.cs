using Hyperlight.Abstractions;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Memory.Mappings;

namespace Hyperlight;

/// <content>Files and host memory in a running guest.</content>
public sealed partial class MultiUseSandbox
{
    /// <summary>The mappings of files and host memory, in the order in which they were mapped.</summary>
    /// <exception cref="SandboxInUseException">A call is in progress.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed.</exception>
    public IReadOnlyList<SandboxMapping> Mappings
    {
        get
        {
            _gate.Enter("reading the list of mappings", this);
            try
            {
                return [.. _runner.Mappings.Regions.Select(r => r.Description)];
            }
            finally
            {
                LeaveGate();
            }
        }
    }

    /// <summary>
    /// Maps a file into guest physical space: readable and executable, never writable. If this throws, the sandbox is not
    /// changed. The guest maps the addresses into its page tables; copy-on-write pages are private to the guest. The file
    /// is not read when it is mapped: a page uses memory when the guest first reads it.
    /// </summary>
    /// <remarks>
    /// The file is opened once, so that renaming or deleting it has no effect. Do not change its content while it is
    /// mapped: pages that the guest has not used yet have the new content, and others the old or the new one. If the file
    /// is shortened or cannot be read, the guest's access ends the call with <see cref="MemoryAccessViolationException"/>,
    /// which names the mapping.
    /// </remarks>
    /// <param name="path">The file. It must not be empty.</param>
    /// <param name="guestAddress">Guest physical address of the first byte, a multiple of <see cref="GuestPage.Size"/>.</param>
    /// <param name="label">
    /// The mapping's name, at most <see cref="MappingLabel.MaxBytes"/> bytes of UTF-8. Without one the file name is used,
    /// shortened (and a warning logged) if it is longer.
    /// </param>
    /// <returns>Label, address and size of the mapping; the size is the file's, rounded up to a page.</returns>
    /// <exception cref="ArgumentException">The path or the label is invalid.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The address is not page aligned, or the file leaves guest physical space.</exception>
    /// <exception cref="FileMappingException">The file cannot be opened or mapped, or is empty.</exception>
    /// <exception cref="MappingOverlapException">The addresses are in use.</exception>
    /// <exception cref="MappingLimitException">The hypervisor has no memory slot left, or the guest's table of file mappings is full.</exception>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    /// <exception cref="SandboxPoisonedException">An earlier failure poisoned the sandbox.</exception>
    /// <exception cref="SandboxInUseException">A call is in progress.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed.</exception>
    public SandboxMapping MapFile(string path, ulong guestAddress, string? label = null) =>
        MapFileCore(path, guestAddress, label, isRetained: false);

    /// <summary>Removes a file from guest physical space and releases it. The guest must not use its addresses any more.</summary>
    /// <param name="guestAddress">Guest physical address of its first byte.</param>
    /// <exception cref="ArgumentException">No file is mapped there.</exception>
    /// <exception cref="HypervisorException">The hypervisor refused; the file is still mapped.</exception>
    /// <exception cref="SandboxPoisonedException">An earlier failure poisoned the sandbox.</exception>
    /// <exception cref="SandboxInUseException">A call is in progress.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed.</exception>
    public void UnmapFile(ulong guestAddress) => Unmap("unmapping a file", guestAddress, isFile: true);

    /// <summary>
    /// Maps host memory into guest physical space without copying it. Guests can read it, and execute it if this is
    /// permitted, but not write to it. If this throws, the sandbox is not changed.
    /// </summary>
    /// <remarks>
    /// The caller owns the region, and can map it into several sandboxes. Dispose it after it was unmapped or the sandbox
    /// was disposed. If it is disposed earlier, its memory is released when the sandbox unmaps it. Do not change the memory
    /// while it is mapped.
    /// </remarks>
    /// <param name="region">The memory: <see cref="HostMemoryRegion"/>, or one that the driver allocated.</param>
    /// <param name="guestAddress">Guest physical address of the first byte, a multiple of <see cref="GuestPage.Size"/>.</param>
    /// <param name="permissions"><see cref="MemoryFlags.Read"/>, optionally with <see cref="MemoryFlags.Execute"/>.</param>
    /// <param name="label">The mapping's name in errors and lists, at most <see cref="MappingLabel.MaxBytes"/> bytes of UTF-8.</param>
    /// <returns>Label, address and size of the mapping.</returns>
    /// <exception cref="ArgumentException">The permissions or the label are invalid, or the region belongs to another driver.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The address is not page aligned, or the region leaves guest physical space.</exception>
    /// <exception cref="MappingOverlapException">The addresses are in use.</exception>
    /// <exception cref="MappingLimitException">The hypervisor has no memory slot left.</exception>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    /// <exception cref="SandboxPoisonedException">An earlier failure poisoned the sandbox.</exception>
    /// <exception cref="SandboxInUseException">A call is in progress.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox or the region was disposed.</exception>
    public SandboxMapping MapRegion(
        IMemoryRegion region, ulong guestAddress, MemoryFlags permissions = MemoryFlags.Read, string label = "host memory")
    {
        ArgumentNullException.ThrowIfNull(region);
        ArgumentNullException.ThrowIfNull(label);
        MappingLabel.Choose(string.Empty, label);
        if (permissions is not (MemoryFlags.Read or (MemoryFlags.Read | MemoryFlags.Execute)))
        {
            throw new ArgumentException(
                $"Host memory can be mapped for reading, or for reading and executing, but not for: {permissions}.", nameof(permissions));
        }

        GuestPhysicalSpace.CheckAddress(guestAddress);
        GuestPhysicalSpace.CheckRange(guestAddress, region.Size);
        EnterForMapping("mapping a region");
        try
        {
            CheckPlace(label, guestAddress, region.Size);
            return _runner.Mappings.Map(GuestMapping.Whole(guestAddress, region, permissions), label).Description;
        }
        finally
        {
            LeaveGate();
        }
    }

    /// <summary>Removes host memory from guest physical space. The guest must not use its addresses any more.</summary>
    /// <param name="guestAddress">Guest physical address of its first byte.</param>
    /// <exception cref="ArgumentException">No host memory is mapped there.</exception>
    /// <exception cref="HypervisorException">The hypervisor refused; the memory is still mapped.</exception>
    /// <exception cref="SandboxPoisonedException">An earlier failure poisoned the sandbox.</exception>
    /// <exception cref="SandboxInUseException">A call is in progress.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed.</exception>
    public void UnmapRegion(ulong guestAddress) => Unmap("unmapping a region", guestAddress, isFile: false);

    /// <summary>
    /// Maps a file that stays mapped when a snapshot is restored. Snapshots refer to its pages instead of containing them, and can be
    /// restored only into sandboxes that have mapped a file of the same label and size there, in this way: the label states which content it is.
    /// </summary>
    /// <inheritdoc cref="MapFile(string, ulong, string?)"/>
    internal SandboxMapping MapRetainedFile(string path, ulong guestAddress, string label) =>
        MapFileCore(path, guestAddress, label, isRetained: true);

    private SandboxMapping MapFileCore(string path, ulong guestAddress, string? label, bool isRetained)
    {
        EnterForMapping("mapping a file");
        try
        {
            MappingChecks.CheckTable(_memory, _runner.Mappings.Files.Count());
            IPreparedMapping file =
                FilePreparation.Prepare(_setup.Hypervisor.Hypervisor, path, guestAddress, label, _setup.Logger);
            try
            {
                CheckPlace(file.Label, file.GuestAddress, file.Size);
                SandboxMapping mapping = _runner.Mappings.Map(file, isRetained).Description;
                PublishMappings();
                return mapping;
            }
            finally
            {
                // It was consumed unless something failed.
                FilePreparation.Release(file, _setup.Logger);
            }
        }
        finally
        {
            LeaveGate();
        }
    }

    private void Unmap(string operation, ulong guestAddress, bool isFile)
    {
        EnterForMapping(operation);
        try
        {
            MappedRegion? region = _runner.Mappings.Find(guestAddress);
            if (region is null || region.Mapping.GuestAddress != guestAddress || region.IsOwned != isFile)
            {
                throw new ArgumentException(
                    $"No {(isFile ? "file" : "host memory")} is mapped at guest physical address 0x{guestAddress:X}.", nameof(guestAddress));
            }

            _runner.Mappings.Unmap(region);
            PublishMappings();
        }
        finally
        {
            LeaveGate();
        }
    }

    private void CheckPlace(string label, ulong guestAddress, ulong size) => MappingChecks.CheckPlace(
        GuestRange.OfMapping(label, guestAddress, size), _memory, _runner.Mappings.Regions.Select(r => r.Range));

    private void PublishMappings() => _memory.WriteFileMappings(_runner.Mappings.Files);

    private void EnterForMapping(string operation)
    {
        _gate.Enter(operation, this);
        if (_poison is { } cause)
        {
            LeaveGate();
            throw new SandboxPoisonedException(cause);
        }

        _unchangedSince = null;
    }

    private void LeaveGate()
    {
        if (!_gate.Leave())
        {
            return;
        }

        try
        {
            Release();
        }
        catch (Exception exception)
        {
            // The one who disposed the sandbox is gone, and the operation's own result or failure must not be lost.
            SandboxLog.ReleaseFailed(_setup.Logger, exception, Id);
        }
    }
}
