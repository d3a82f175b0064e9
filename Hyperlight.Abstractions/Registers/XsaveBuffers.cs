namespace Hyperlight.Abstractions;

/// <summary>What every driver checks of the buffers of <see cref="IVirtualMachine.GetXsave"/> and <see cref="IVirtualMachine.SetXsave"/>.</summary>
public static class XsaveBuffers
{
    /// <summary>Checks a buffer that an image is read into.</summary>
    /// <param name="destination">The buffer.</param>
    /// <param name="size">Bytes of the image.</param>
    /// <exception cref="ArgumentException">The buffer is smaller than the image.</exception>
    public static void CheckDestination(ReadOnlySpan<byte> destination, int size)
    {
        if (destination.Length < size)
        {
            throw new ArgumentException($"The XSAVE image has {size} bytes, the buffer {destination.Length}.", nameof(destination));
        }
    }

    /// <summary>Checks an image that is to be set.</summary>
    /// <param name="source">The image.</param>
    /// <param name="size">Bytes of the image.</param>
    /// <exception cref="ArgumentException">It has another size.</exception>
    public static void CheckSource(ReadOnlySpan<byte> source, int size)
    {
        if (source.Length != size)
        {
            throw new ArgumentException($"The XSAVE image has {size} bytes, not {source.Length}.", nameof(source));
        }
    }
}
