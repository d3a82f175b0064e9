using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>Images of container images.</summary>
[TestFixture]
internal sealed class OciImageTests : ImageTest
{
    private OciLayout _layout = null!;

    [SetUp]
    public void CreateLayout() => _layout = new OciLayout(Files);

    private ProgramImage Image => ProgramImage.FromOciLayout(Files, options: Options);

    [Test]
    public void Layers_are_applied_in_their_order()
    {
        _layout.Write(_layout.Manifest(
        [
            _layout.Blob(new TarFile().File("a", "old").File("b", "stays").Directory("d", UnixFileMode.UserRead).Compressed(), OciLayout.GzipLayerType),
            _layout.Blob(new TarFile().File("a", "new").Directory("d", UnixFileMode.UserExecute).File("d/c", "more").Bytes(), OciLayout.LayerType),
        ]));

        ReadImage image = Read(Image);

        Assert.That(image.Paths, Is.EqualTo(new[] { "/a", "/b", "/d", "/d/c" }));
        Assert.That((image.Text("/a"), image.Text("/b"), image.Nodes["/d"].Mode), Is.EqualTo(("new", "stays", 0x4040U)));
    }

    [Test]
    public void A_whiteout_removes_what_lower_layers_have()
    {
        _layout.WriteLayers(
            new TarFile().File("a/one").File("a/two").File("b/c/d").File("stays"),
            new TarFile().Whiteout("a/.wh.one").Whiteout(".wh.b").Whiteout(".wh.none").Whiteout("none/.wh.none"));

        Assert.That(Read(Image).Paths, Is.EqualTo(new[] { "/a", "/a/two", "/stays" }));
    }

    [Test]
    public void A_whiteout_does_not_concern_its_own_layer_wherever_it_is()
    {
        _layout.WriteLayers(
            new TarFile().File("a", "old").File("d/old"),
            new TarFile().File("a", "new").Whiteout(".wh.a").File("d/new").Whiteout("d/.wh..wh..opq"));

        ReadImage image = Read(Image);

        Assert.That(image.Paths, Is.EqualTo(new[] { "/a", "/d", "/d/new" }));
        Assert.That(image.Text("/a"), Is.EqualTo("new"));
    }

    [Test]
    public void An_opaque_directory_hides_all_below()
    {
        _layout.WriteLayers(
            new TarFile().File("d/a/b").File("d/c").File("e"),
            new TarFile().Directory("d").Whiteout("d/.wh..wh..opq").File("d/a/new").Directory("d/.wh..wh.plnk"));

        Assert.That(Read(Image).Paths, Is.EqualTo(new[] { "/d", "/d/a", "/d/a/new", "/e" }));
    }

    [TestCase(".wh.")]
    [TestCase("d/.wh..")]
    [TestCase("d/.wh...")]
    public void A_whiteout_of_no_file_is_refused(string name)
    {
        _layout.WriteLayers(new TarFile().Whiteout(name));

        Assert.That(Refused(Image).Entry, Is.EqualTo(name));
    }

    [Test]
    public void Hard_links_reach_lower_layers_and_outlive_them()
    {
        _layout.WriteLayers(
            new TarFile().File("a", "text"),
            new TarFile().HardLink("b", "a").HardLink("c", "b"),
            new TarFile().Whiteout(".wh.a"),
            new TarFile().File("b", "other"));

        ReadImage image = Read(Image);

        Assert.That((image.Text("/b"), image.Text("/c"), image.NodeCount), Is.EqualTo(("other", "text", 3)));
    }

    [Test]
    public void A_file_replaces_a_directory_and_a_directory_replaces_a_file()
    {
        _layout.WriteLayers(new TarFile().File("a/b/c").File("d").Link("e", "a"), new TarFile().File("a").Directory("d").Directory("e"));

        ReadImage image = Read(Image);

        Assert.That(image.Paths, Is.EqualTo(new[] { "/a", "/d", "/e" }));
        Assert.That((image.Nodes["/d"].Mode & 0xF000, image.Nodes["/e"].Mode & 0xF000), Is.EqualTo((0x4000U, 0x4000U)));
    }

    [Test]
    public void The_image_for_this_platform_is_chosen()
    {
        string arm = _layout.Manifest([_layout.Blob(new TarFile().File("arm").Bytes(), OciLayout.LayerType)], Platform("linux", "arm64"));
        string x64 = _layout.Manifest([_layout.Blob(new TarFile().File("x64").Bytes(), OciLayout.LayerType)], Platform("linux", "amd64"));
        string none = _layout.Manifest([], Platform("unknown", "unknown"));
        _layout.Write(_layout.Index([arm, x64, none]));

        Assert.That(Read(Image).Paths, Is.EqualTo(new[] { "/x64" }));
    }

    [Test]
    public void An_image_can_be_chosen_by_its_tag()
    {
        _layout.Write(
            _layout.Manifest([_layout.Blob(new TarFile().File("one").Bytes(), OciLayout.LayerType)], Tag("1.0")),
            _layout.Manifest([_layout.Blob(new TarFile().File("two").Bytes(), OciLayout.LayerType)], Tag("2.0")));

        Assert.That(Read(ProgramImage.FromOciLayout(Files, "2.0", Options)).Paths, Is.EqualTo(new[] { "/two" }));
        Assert.That(Refused(ProgramImage.FromOciLayout(Files, "3.0", Options)).Problem, Does.Contain("0 images").And.Contain("1.0, 2.0"));
        Assert.That(Refused(Image).Problem, Does.Contain("2 images"));
        Assert.That(() => ProgramImage.FromOciLayout(Files, "sha256:short"), Throws.ArgumentException);
    }

    [Test]
    public void A_blob_that_was_altered_is_refused()
    {
        _layout.WriteLayers(new TarFile().File("file", "text"));
        foreach (string blob in Directory.GetFiles(_layout.Blobs).Where(static blob => new FileInfo(blob).Length > 2))
        {
            byte[] bytes = File.ReadAllBytes(blob);
            bytes[^1] ^= 1;
            File.WriteAllBytes(blob, bytes);
            Assert.That(Refused(Image).Problem, Does.Contain("altered"), blob);
            bytes[^1] ^= 1;
            File.WriteAllBytes(blob, [.. bytes, 0]);
            Assert.That(Refused(Image).Problem, Does.Contain("bytes instead of"), blob);
            File.Delete(blob);
            Assert.That(Refused(Image).Problem, Does.Contain("missing"), blob);
            File.WriteAllBytes(blob, bytes);
        }

        Assert.That(Read(Image).Paths, Is.EqualTo(new[] { "/file" }));
    }

    [Test]
    public void Layers_of_other_types_are_refused()
    {
        _layout.Write(_layout.Manifest([_layout.Blob([1], OciLayout.LayerType + "+zstd")]));

        Assert.That(Refused(Image).Problem, Does.Contain("+zstd' are not supported"));
    }

    [Test]
    public void An_index_that_contains_itself_ends()
    {
        string inner = _layout.Index([]);
        for (int i = 0; i < 20; i++)
        {
            inner = _layout.Index([inner]);
        }

        _layout.Write(inner);

        Assert.That(Refused(Image).Problem, Is.EqualTo("its indexes contain one another"));
    }

    [TestCase("")]
    [TestCase("{}")]
    [TestCase("[]")]
    [TestCase("""{"schemaVersion":2}""")]
    [TestCase("""{"schemaVersion":2,"manifests":[null]}""")]
    [TestCase("""{"schemaVersion":2,"manifests":[]}""")]
    [TestCase("""{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha256:../../../../etc/passwd","size":1}]}""")]
    [TestCase("""{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha256:","size":-1}]}""")]
    public void A_malformed_index_is_refused(string index)
    {
        _layout.Write();
        File.WriteAllText(Path.Combine(Files, "index.json"), index);

        Assert.That(Refused(Image).Name, Is.EqualTo(Files));
    }

    [Test]
    public void A_directory_that_is_no_layout_is_refused()
    {
        Assert.That(Refused(Image).Problem, Does.Contain("oci-layout"));
        Assert.That(Refused(ProgramImage.FromOciLayout(Path.Combine(Files, "none"), options: Options)).Problem, Does.Contain("no such directory"));
    }

    private static string Platform(string system, string architecture) => $$""","platform":{"os":"{{system}}","architecture":"{{architecture}}"}""";

    [Test]
    public void An_image_with_two_tags_is_one_image()
    {
        string layer = _layout.Blob(new TarFile().File("one").Bytes(), OciLayout.LayerType);
        _layout.Write(_layout.Manifest([layer], Tag("1.0")), _layout.Manifest([layer], Tag("latest")));

        Assert.That(Read(ProgramImage.FromOciLayout(Files, null, Options)).Paths, Does.Contain("/one"));
    }

    private static string Tag(string tag) => $$""","annotations":{"org.opencontainers.image.ref.name":"{{tag}}"}""";
}
