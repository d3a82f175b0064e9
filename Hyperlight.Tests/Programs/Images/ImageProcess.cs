using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>A process that builds an image and prints the path of its file.</summary>
internal static class ImageProcess
{
    public const string Command = "build-image";

    public static void Build(string directory, string cache) => Console.Write(
        ProgramImage.FromDirectory(directory, new ProgramImageOptions { CacheDirectory = cache }).BuildAsync().GetAwaiter().GetResult().Path);
}
