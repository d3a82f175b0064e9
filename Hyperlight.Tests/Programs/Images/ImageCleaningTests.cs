using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>Image files that are removed because they are not needed any more.</summary>
[TestFixture]
internal sealed class ImageCleaningTests : ImageTest
{
    [Test]
    public void Images_that_were_not_used_for_some_time_are_removed()
    {
        ProgramImageFile old = BuildUsed("old", days: 3);
        ProgramImageFile recent = BuildUsed("recent", days: 1);

        ProgramImageCleaning cleaning = Clean(TimeSpan.FromDays(2));

        Assert.That(cleaning, Is.EqualTo(new ProgramImageCleaning(1, old.Size, 1, recent.Size)));
        Assert.That((File.Exists(old.Path), File.Exists(recent.Path)), Is.EqualTo((false, true)));
    }

    [Test]
    public void The_oldest_images_are_removed_until_the_rest_is_small_enough()
    {
        ProgramImageFile[] files = [BuildUsed("middle", days: 2), BuildUsed("oldest", days: 3), BuildUsed("newest", days: 1)];

        ProgramImageCleaning cleaning = Clean(mostBytes: files[0].Size + files[2].Size);

        Assert.That(files.Select(static file => File.Exists(file.Path)), Is.EqualTo(new[] { true, false, true }));
        Assert.That((cleaning.RemovedImages, cleaning.KeptBytes), Is.EqualTo((1, files[0].Size + files[2].Size)));
        Assert.That(Clean(mostBytes: 0).KeptImages, Is.Zero);
    }

    [Test]
    public void A_build_that_finds_the_image_uses_it()
    {
        ProgramImageFile file = BuildUsed("text", days: 3);

        Assert.That(Build(ImageOf("text")).WasCached, Is.True);

        Assert.That(Clean(TimeSpan.FromDays(1)).RemovedImages, Is.Zero);
        Assert.That(File.Exists(file.Path), Is.True);
    }

    [Test]
    public async Task Images_that_a_runner_uses_are_kept()
    {
        string executable = Path.Combine(AppContext.BaseDirectory, "guests", "program.elf");
        ProgramImage image = ProgramImage.FromExecutable(executable, Options);
        await using (ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate { Image = image }))
        {
            Assert.That(Clean(mostBytes: 0), Is.EqualTo(new ProgramImageCleaning(0, 0, 1, Build(image).Size)));
            Assert.That((await runner.RunAsync(ProgramInput.Empty)).StandardOutput, Is.EqualTo("hello\n"));
        }

        Assert.That(Clean(mostBytes: 0).RemovedImages, Is.EqualTo(1));
        Assert.That(Build(image).WasCached, Is.False);
    }

    [Test]
    public void Other_files_are_kept()
    {
        Build(ImageOf("text"));
        string other = Path.Combine(Options.CacheDirectory!, "other");
        File.WriteAllText(other, "");

        Clean(mostBytes: 0);

        Assert.That(Directory.GetFiles(Options.CacheDirectory!), Is.EqualTo(new[] { other }));
    }

    [Test]
    public void A_limit_must_be_stated()
    {
        Assert.That(() => Clean(), Throws.ArgumentException);
        Assert.That(() => Clean(TimeSpan.FromTicks(-1)), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Clean(mostBytes: -1), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private ProgramImageCleaning Clean(TimeSpan? unusedFor = null, long? mostBytes = null) =>
        ProgramImageCache.Clean(unusedFor, mostBytes, Options.CacheDirectory);

    private ProgramImage ImageOf(string text) => ProgramImage.FromFiles(OneFile("/file", text), Options);

    private ProgramImageFile BuildUsed(string text, int days)
    {
        ProgramImageFile file = Build(ImageOf(text));
        File.SetLastAccessTimeUtc(file.Path, DateTime.UtcNow.AddDays(-days));
        return file;
    }
}
