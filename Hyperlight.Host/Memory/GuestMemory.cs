using Hyperlight.Abstractions;
using Hyperlight.Host.Protocol;

namespace Hyperlight.Host.Memory;

/// <summary>
/// The host memory behind one guest: its image, which it can only read and may share with other guests, and its own scratch
/// memory.
/// </summary>
internal sealed class GuestMemory : IDisposable
{
    private readonly IMemoryRegion _scratch;

    /// <summary>Bytes of the page tables that the host has written to scratch memory.</summary>
    private ulong _pageTableSize;

    private GuestMemory(GuestImage image, IMemoryRegion scratch)
    {
        Image = image;
        _scratch = scratch;
        Input = new SharedBuffer(scratch, GuestMemoryLayout.InputBufferOffset, Layout.InputBufferSize, "input") { IsFromSnapshot = !image.IsFresh };
        Output = new SharedBuffer(scratch, Layout.OutputBufferOffset, Layout.OutputBufferSize, "output");
        WriteBookkeeping();
    }

    /// <summary>What the guest started from.</summary>
    public GuestImage Image { get; private set; }

    public GuestMemoryLayout Layout => Image.Layout;

    /// <summary>Guest virtual address at which a fresh guest is entered.</summary>
    public ulong EntryPoint => Image.EntryPoint;

    /// <summary>The guest's own memory. What the host writes there is known to this class, which clears it: see <see cref="ResetScratch"/>.</summary>
    public IMemoryRegion Scratch => _scratch;

    /// <summary>The buffer from host to guest.</summary>
    public SharedBuffer Input { get; }

    /// <summary>The buffer from guest to host.</summary>
    public SharedBuffer Output { get; }

    /// <summary>What the virtual machine sees of the image: readable and executable, never writable.</summary>
    public GuestMapping ImageMapping => Image.Mapping;

    /// <summary>What the virtual machine sees of scratch memory.</summary>
    public GuestMapping ScratchMapping => GuestMapping.Whole(
        Layout.ScratchPhysicalBase, _scratch, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute);

    /// <summary>
    /// Publishes the file mappings in the table that the guest finds them by, if it is configured. The image of a snapshot is
    /// not touched: its guest finds what the table held when the snapshot was taken.
    /// </summary>
    public void WriteFileMappings(IEnumerable<SandboxMapping> mappings)
    {
        if (Layout.HasFileMappingTable && Image.IsFresh)
        {
            FileMappingTable.Write(Image.Pages, Layout, mappings);
        }
    }

    /// <summary>Makes the memory of a fresh guest.</summary>
    /// <exception cref="MemoryRequestException">The guest and its configuration do not fit.</exception>
    /// <exception cref="HypervisorException">The operating system did not provide the memory.</exception>
    public static GuestMemory Create(
        IHypervisor hypervisor, GuestBinary guest, InitData initData, SandboxConfiguration configuration)
    {
        GuestMemoryLayout layout = GuestMemoryLayout.Create(configuration, guest.Image.LoadedSize, initData.Bytes.Length, initData.Flags);
        return Create(hypervisor, guest.SharedImages.Get(hypervisor, guest.Image, layout, initData));
    }

    /// <summary>Allocates scratch memory for an image.</summary>
    /// <param name="hypervisor">The driver.</param>
    /// <param name="image">The image, and a reference on it that is given back with the memory, or on failure.</param>
    /// <exception cref="HypervisorException">The operating system did not provide the memory.</exception>
    public static GuestMemory Create(IHypervisor hypervisor, GuestImage image)
    {
        IMemoryRegion? scratch = null;
        try
        {
            scratch = hypervisor.AllocateMemory((nuint)image.Layout.ScratchSize);
            return new GuestMemory(image, scratch);
        }
        catch
        {
            scratch?.Dispose();
            image.Release();
            throw;
        }
    }

    /// <summary>Makes both buffers empty after the guest has finished, whether or not it has taken all messages.</summary>
    /// <exception cref="GuestProtocolException">The guest has corrupted one; both are empty nevertheless.</exception>
    public void SettleBuffers()
    {
        try
        {
            Input.Settle();
        }
        finally
        {
            Output.Settle();
        }
    }

    /// <summary>Starts over from an image of the same layout.</summary>
    /// <param name="image">The image, and a reference on it that is given back with the memory.</param>
    /// <exception cref="HypervisorException">The operating system refused to release the former image.</exception>
    public void AdoptImage(GuestImage image)
    {
        GuestImage former = Image;
        Image = image;
        Input.IsFromSnapshot = !image.IsFresh;
        former.Release();
    }

    /// <summary>Makes scratch memory what it is for a guest that has not run: no byte of what was there survives.</summary>
    /// <param name="guestWritesCleared">
    /// Whether every page that the guest has written is zero already, so that only what the host has written is left.
    /// Otherwise all of scratch memory is cleared.
    /// </param>
    public void ResetScratch(bool guestWritesCleared)
    {
        if (guestWritesCleared)
        {
            ClearHostWrites();
        }
        else
        {
            _scratch.Clear(0, _scratch.Size);
        }

        WriteBookkeeping();
    }

    /// <summary>Asks the guest's C runtime to start its random numbers over. Guests that do not know of it see an unused word.</summary>
    public void RequestReseeding(uint seed) => ScratchMetadata.WriteSeed(_scratch, Layout, seed);

    /// <summary>Tells the guest's C runtime the log level of this sandbox. Guests that do not know of it see an unused word.</summary>
    public void SetLogLevel(GuestLogLevel level) => ScratchMetadata.WriteLogLevel(_scratch, Layout, level);

    public void Dispose()
    {
        try
        {
            _scratch.Dispose();
        }
        finally
        {
            Image.Release();
        }
    }

    /// <summary>
    /// Clears what the host has written and <see cref="WriteBookkeeping"/> does not overwrite: messages, and the rest of page
    /// tables that were longer. The fields at the end of scratch memory are always written.
    /// </summary>
    private void ClearHostWrites()
    {
        Input.Clear();
        Output.Clear();
        ulong newSize = (ulong)Image.PageTables.Length;
        if (_pageTableSize > newSize)
        {
            _scratch.Clear((nuint)(Layout.PageTableOffset + newSize), (nuint)(_pageTableSize - newSize));
        }
    }

    private void WriteBookkeeping()
    {
        _pageTableSize = (ulong)Image.PageTables.Length;
        ScratchMetadata.Write(_scratch, Layout, Image.PageTables, Image.Generation);
        Input.Reset();
        Output.Reset();
    }
}
