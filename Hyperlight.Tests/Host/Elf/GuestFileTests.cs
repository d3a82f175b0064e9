using Hyperlight.Tests.Host.Files;

namespace Hyperlight.Tests.Host.Elf;

/// <summary>What stands at a guest's path instead of a guest: each is refused with what it is, and nothing makes the caller wait.</summary>
[TestFixture]
internal sealed class GuestFileTests
{
    private string _directory = null!;

    private string GuestPath => Path.Combine(_directory, "guest.elf");

    [SetUp]
    public void CreateDirectory() => _directory = Directory.CreateTempSubdirectory("hyperlight-").FullName;

    [TearDown]
    public void DeleteDirectory() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void A_guest_is_read_also_through_a_link()
    {
        File.WriteAllBytes(GuestPath, TestElf.OfCode([0xF4], "0.15.0").Build());
        string link = Path.Combine(_directory, "link");
        File.CreateSymbolicLink(link, GuestPath);

        Assert.That(GuestBinary.FromFile(GuestPath).AbiVersion, Is.EqualTo("0.15.0"));
        Assert.That(GuestBinary.FromFile(link).AbiVersion, Is.EqualTo("0.15.0"));
    }

    [Test]
    public void Files_that_are_not_regular_are_refused()
    {
        foreach ((string kind, Action<string> plant) in SpecialFiles.All())
        {
            plant(GuestPath);
            string message = "";
            Deadline.Run(() => message = RefusalOf(GuestPath), kind);
            TestContext.Out.WriteLine($"{kind}: {message}");
            Assert.That(message, Does.Contain(GuestPath), kind);
            SpecialFiles.Remove(GuestPath);
        }
    }

    [Test]
    public void A_directory_is_called_one()
    {
        string message = AssertRefused(_directory).Message;

        Assert.That(message, Does.Contain(_directory).And.Contain("is a directory").And.Contain("Give the path of an ELF file"));
        Assert.That(message, Does.Not.Contain("denied"));
    }

    [Test]
    public void A_missing_file_and_a_missing_directory_have_different_errors()
    {
        Assert.That(AssertRefused(GuestPath).Message, Does.Contain($"no file '{GuestPath}'"));
        Assert.That(AssertRefused(Path.Combine(GuestPath, "x.elf")).Message, Does.Contain($"no directory '{GuestPath}'"));
    }

    [Test]
    public void An_empty_file_is_called_empty()
    {
        File.WriteAllBytes(GuestPath, []);
        Assert.That(AssertRefused(GuestPath).Message, Does.Contain("it is empty"));
    }

    [Test]
    public void A_file_that_is_too_large_is_not_read()
    {
        using (FileStream file = File.Create(GuestPath))
        {
            file.SetLength(1L << 40);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(AssertRefused(GuestPath).Message, Does.Contain("1099511627776").And.Contain("1073741824"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [Test]
    public void A_file_without_read_permission_is_refused_with_the_remedy()
    {
        if (Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("This process may read every file; a user without privileges is needed.");
        }

        File.WriteAllBytes(GuestPath, [1]);
        SpecialFiles.Forbid(GuestPath);
        Assert.That(AssertRefused(GuestPath).Message, Does.Contain("permission"));
    }

    [Test]
    public void A_cancelled_token_ends_reading_and_parsing()
    {
        byte[] guest = TestElf.OfCode([0xF4]).Build();
        File.WriteAllBytes(GuestPath, guest);
        var cancelled = new CancellationToken(canceled: true);

        Assert.That(() => GuestBinary.FromFile(GuestPath, cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(() => GuestBinary.FromBytes(guest, "x", cancelled), Throws.InstanceOf<OperationCanceledException>());
    }

    private static string RefusalOf(string path)
    {
        try
        {
            GuestBinary.FromFile(path);
            return "it was not refused";
        }
        catch (GuestBinaryException exception)
        {
            return exception.Message;
        }
    }

    private static GuestBinaryException AssertRefused(string path)
    {
        GuestBinaryException exception = Assert.Throws<GuestBinaryException>(() => GuestBinary.FromFile(path))!;
        Assert.That(exception.BinarySource, Is.EqualTo(path));
        return exception;
    }
}
