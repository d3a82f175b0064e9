using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs.Images;

/// <summary>An image file that is not removed from its cache as long as this object exists.</summary>
internal sealed class ImageInUse : IDisposable
{
    private const int MostAttempts = 5;

    private readonly SafeFileHandle _handle;

    private ImageInUse(ProgramImageFile file, SafeFileHandle handle)
    {
        File = file;
        _handle = handle;
    }

    public ProgramImageFile File { get; }

    /// <summary>Builds the image unless the cache has it.</summary>
    /// <exception cref="ProgramImageException">It cannot be built or opened.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static ImageInUse Open(ProgramImage image, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            ProgramImageFile file = image.Build(null, cancellationToken);
            try
            {
                // A lock between processes, which whatever removes images respects.
                return new ImageInUse(file, System.IO.File.OpenHandle(file.Path, FileMode.Open, FileAccess.Read, FileShare.Read));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It may have been removed after it was found.
                if (attempt == MostAttempts)
                {
                    throw new ProgramImageException(image.Name, exception.Message.TrimEnd('.'), null, exception);
                }
            }
        }
    }

    public void Dispose() => _handle.Dispose();
}
