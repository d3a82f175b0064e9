using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>
/// The part of a sandbox in the totals. A sandbox that is dropped without being disposed leaves them when it is collected, as its
/// memory is released then. Therefore this refers to no memory.
/// </summary>
internal sealed class CountedSandbox : IDisposable
{
    private readonly SandboxTotals _totals;
    private readonly string _driver;
    private readonly long _scratchBytes;
    private object? _image;
    private long _imageBytes;

    public CountedSandbox(SandboxTotals totals, string driver, GuestImage image)
    {
        _totals = totals;
        _driver = driver;
        _scratchBytes = (long)image.Layout.ScratchSize;
        totals.Add(driver, image);
        Keep(image);
    }

    /// <summary>Removes a sandbox that was dropped.</summary>
    ~CountedSandbox() => Remove();

    /// <summary>The sandbox has an image, which may be another one than before.</summary>
    public void Use(GuestImage image)
    {
        if (_image is { } former && !ReferenceEquals(former, image.Identity))
        {
            _totals.Replace(_driver, former, _imageBytes, image);
            Keep(image);
        }
    }

    public void Dispose()
    {
        Remove();
        GC.SuppressFinalize(this);
    }

    private void Keep(GuestImage image)
    {
        _image = image.Identity;
        _imageBytes = (long)image.Pages.Size;
    }

    private void Remove()
    {
        if (Interlocked.Exchange(ref _image, null) is { } image)
        {
            _totals.Remove(_driver, image, _imageBytes, _scratchBytes);
        }
    }
}
