namespace Hyperlight.Programs.Images;

/// <summary>Where files of an image come from.</summary>
internal abstract class ImageSource
{
    /// <summary>Adds the files.</summary>
    /// <exception cref="ProgramImageException">They cannot be read, or one of them cannot be in an image.</exception>
    public abstract void AddTo(ImageBuild build);
}
