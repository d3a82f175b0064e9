using Hyperlight.Abstractions;
using Hyperlight.Host.Execution;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Memory.Mappings;

namespace Hyperlight;

/// <content>File mappings that wait for the virtual machine.</content>
public sealed partial class UninitializedSandbox
{
    /// <summary>The files that will be mapped when the sandbox is evolved, in that order.</summary>
    public IReadOnlyList<SandboxMapping> Mappings => _pending.Describe();

    /// <summary>
    /// Opens a file for the guest. It is mapped when the sandbox is evolved, before the guest executes anything. The file is
    /// not read, however large it is: a page of it costs memory once the guest reads it. The guest can never write to the
    /// file, and what it sees of later changes of the file is not defined: see <see cref="MultiUseSandbox.MapFile"/>.
    /// </summary>
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
    /// <exception cref="MappingLimitException">The guest's table of file mappings is full.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed or evolved.</exception>
    public SandboxMapping MapFile(string path, ulong guestAddress, string? label = null)
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        MappingChecks.CheckTable(_memory, _pending.Count);
        IPreparedMapping file = FilePreparation.Prepare(_setup.Hypervisor.Hypervisor, path, guestAddress, label, _setup.Logger);
        try
        {
            MappingChecks.CheckPlace(GuestRange.OfMapping(file.Label, file.GuestAddress, file.Size), _memory, _pending.Ranges);
            return _pending.Add(file);
        }
        catch
        {
            FilePreparation.Release(file, _setup.Logger);
            throw;
        }
    }

    private void ApplyMappings(GuestRunner runner, GuestMemory memory)
    {
        _pending.Apply(runner.Mappings);
        memory.WriteFileMappings(runner.Mappings.Files);
    }
}
