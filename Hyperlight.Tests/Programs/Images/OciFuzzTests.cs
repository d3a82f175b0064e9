using System.Text;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>Whatever the documents of a container image contain, there is an image that is right, or a typed error.</summary>
[TestFixture]
internal sealed class OciFuzzTests : ImageTest
{
    private const int Rounds = 300;

    private static readonly string[] Interesting = ["\"", "{", "}", "[", "]", ",", ":", "null", "-1", "1e99", "\\ud800", "../", "/", "\0", "\u00FF", "sha256:", "amd64"];

    [Test]
    public void Changed_documents_are_an_image_or_an_error([Range(1, 4)] int seed)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var layout = new OciLayout(Files);
        string layer = layout.Blob(new TarFile().File("file").Bytes(), OciLayout.LayerType);
        string platform = ""","platform":{"os":"linux","architecture":"amd64"}""";
        int images = 0;
        for (int round = 0; round < Rounds; round++)
        {
            string manifest = layout.Manifest([round % 3 == 0 ? Change(layer, random) : layer], platform);
            layout.Write(layout.Index([round % 3 == 1 ? Change(manifest, random) : manifest]));
            if (round % 3 == 2)
            {
                string path = Path.Combine(Files, "index.json");
                File.WriteAllText(path, Change(File.ReadAllText(path), random));
            }

            images += IsImage() ? 1 : 0;
        }

        TestContext.Out.WriteLine($"{images} of {Rounds} are images");
        Assert.That(images, Is.InRange(1, Rounds - 1), "both occur");
    }

    private static string Change(string text, Random random)
    {
        var changed = new StringBuilder(text);
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int place = random.Next(changed.Length);
            changed.Remove(place, random.Next(Math.Min(3, changed.Length - place)));
            changed.Insert(place, Interesting[random.Next(Interesting.Length)]);
        }

        return changed.ToString();
    }

    private bool IsImage()
    {
        try
        {
            _ = new ReadImage(Build(ProgramImage.FromOciLayout(Files, options: Options)).Path);
            return true;
        }
        catch (ProgramImageException)
        {
            return false;
        }
    }
}
