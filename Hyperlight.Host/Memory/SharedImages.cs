using Hyperlight.Abstractions;
using Hyperlight.Host.Elf;

namespace Hyperlight.Host.Memory;

/// <summary>
/// The images of one guest binary that are in use: sandboxes of one driver and one layout start from the same bytes, so they
/// share them. An image without users is not kept. Safe to use from any thread.
/// </summary>
internal sealed class SharedImages
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(IHypervisor Hypervisor, GuestMemoryLayout Layout), WeakReference<GuestImage>> _images = [];

    /// <summary>An image with a reference for the caller.</summary>
    /// <inheritdoc cref="FreshImage.Create"/>
    public GuestImage Get(IHypervisor hypervisor, ElfImage elf, GuestMemoryLayout layout, InitData initData)
    {
        // Bytes of the caller's may change between two sandboxes, and comparing them would cost what sharing saves. A table
        // of file mappings is each sandbox's own.
        if (!initData.Bytes.IsEmpty || layout.HasFileMappingTable)
        {
            return FreshImage.Create(hypervisor, elf, layout, initData);
        }

        lock (_lock)
        {
            if (_images.TryGetValue((hypervisor, layout), out WeakReference<GuestImage>? shared)
                && shared.TryGetTarget(out GuestImage? image)
                && image.TryAddReference())
            {
                return image;
            }

            image = FreshImage.Create(hypervisor, elf, layout, initData);
            RemoveUnused();
            _images[(hypervisor, layout)] = new WeakReference<GuestImage>(image);
            return image;
        }
    }

    /// <summary>Keeps the table from growing with every layout and driver that was ever used.</summary>
    private void RemoveUnused()
    {
        foreach ((var key, WeakReference<GuestImage> shared) in _images)
        {
            if (!shared.TryGetTarget(out GuestImage? image) || !image.IsUsed)
            {
                _images.Remove(key);
            }
        }
    }
}
