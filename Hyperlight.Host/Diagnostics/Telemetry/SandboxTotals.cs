using System.Diagnostics.Metrics;
using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>The sandboxes that exist and their memory, by driver, for instruments that are read when they are observed. Thread-safe.</summary>
internal sealed class SandboxTotals
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Totals> _drivers = new(StringComparer.Ordinal);

    /// <summary>The images, which sandboxes share, and how many sandboxes use each.</summary>
    private readonly Dictionary<object, int> _images = new(ReferenceEqualityComparer.Instance);

    /// <summary>A sandbox was created.</summary>
    public void Add(string driver, GuestImage image)
    {
        lock (_lock)
        {
            if (!_drivers.TryGetValue(driver, out Totals? totals))
            {
                _drivers.Add(driver, totals = new Totals());
            }

            totals.Sandboxes++;
            totals.ScratchBytes += (long)image.Layout.ScratchSize;
            AddImage(totals, image.Identity, (long)image.Pages.Size);
        }
    }

    /// <summary>A sandbox is gone.</summary>
    public void Remove(string driver, object image, long imageBytes, long scratchBytes)
    {
        lock (_lock)
        {
            Totals totals = _drivers[driver];
            totals.Sandboxes--;
            totals.ScratchBytes -= scratchBytes;
            RemoveImage(totals, image, imageBytes);
        }
    }

    /// <summary>A sandbox has another image.</summary>
    public void Replace(string driver, object former, long formerBytes, GuestImage image)
    {
        lock (_lock)
        {
            Totals totals = _drivers[driver];
            AddImage(totals, image.Identity, (long)image.Pages.Size);
            RemoveImage(totals, former, formerBytes);
        }
    }

    /// <summary>The numbers of sandboxes.</summary>
    public IEnumerable<Measurement<long>> Count()
    {
        lock (_lock)
        {
            return [.. _drivers.Select(d => new Measurement<long>(d.Value.Sandboxes, Driver(d.Key)))];
        }
    }

    /// <summary>The sizes of their memory, in bytes.</summary>
    public IEnumerable<Measurement<long>> Memory()
    {
        lock (_lock)
        {
            return
            [
                .. _drivers.Select(d => new Measurement<long>(d.Value.ImageBytes, Driver(d.Key), Kind("image"))),
                .. _drivers.Select(d => new Measurement<long>(d.Value.ScratchBytes, Driver(d.Key), Kind("scratch"))),
            ];
        }
    }

    private void AddImage(Totals totals, object image, long bytes)
    {
        int uses = _images.GetValueOrDefault(image);
        _images[image] = uses + 1;
        totals.ImageBytes += uses == 0 ? bytes : 0;
    }

    private void RemoveImage(Totals totals, object image, long bytes)
    {
        int uses = _images[image];
        if (uses == 1)
        {
            _images.Remove(image);
            totals.ImageBytes -= bytes;
        }
        else
        {
            _images[image] = uses - 1;
        }
    }

    private static KeyValuePair<string, object?> Driver(string driver) => new(Tags.Driver, driver);

    private static KeyValuePair<string, object?> Kind(string kind) => new(Tags.MemoryKind, kind);

    private sealed class Totals
    {
        public long Sandboxes { get; set; }

        public long ImageBytes { get; set; }

        public long ScratchBytes { get; set; }
    }
}
