using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>The base of tests that build images: a directory for files, and a cache.</summary>
internal abstract class ImageTest
{
    protected string Files { get; private set; } = "";

    protected ProgramImageOptions Options { get; private set; } = ProgramImageOptions.Default;

    [SetUp]
    public void CreateDirectories()
    {
        Files = Directory.CreateTempSubdirectory("hyperlight-").FullName;
        Options = new ProgramImageOptions { CacheDirectory = Path.Combine(Files + "-cache", "images") };
    }

    [TearDown]
    public void DeleteDirectories()
    {
        Directory.Delete(Files, recursive: true);
        if (Directory.Exists(Files + "-cache"))
        {
            foreach (string image in Directory.EnumerateFiles(Files + "-cache", "*", SearchOption.AllDirectories))
            {
                File.SetAttributes(image, FileAttributes.Normal);
            }

            Directory.Delete(Files + "-cache", recursive: true);
        }
    }

    protected static ProgramImageFile Build(ProgramImage image) => image.BuildAsync().GetAwaiter().GetResult();

    protected static ReadImage Read(ProgramImage image) => new(Build(image).Path);

    protected static ProgramImageException Refused(ProgramImage image) =>
        Assert.ThrowsAsync<ProgramImageException>(() => image.BuildAsync()).GetAwaiter().GetResult()!;

    protected static Dictionary<string, ProgramFile> OneFile(string path, string text) => new() { [path] = ProgramFile.FromText(text) };

    protected string Write(string name, string text)
    {
        string path = Path.Combine(Files, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }
}
