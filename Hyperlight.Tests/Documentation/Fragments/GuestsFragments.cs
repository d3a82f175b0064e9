using System.Security.Cryptography;
using System.Text;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of guests/README.md: those in C are built as guests, and run.</summary>
[TestFixture]
internal sealed class GuestsFragments : FragmentFixture, IDisposable
{
    private readonly DirectoryInfo _objects = Directory.CreateTempSubdirectory("hyperlight-guest-");

    private static readonly string[] Sources =
        [.. MarkdownPage.All.SelectMany(page => page.Fragments).Where(f => f.Language == "c").Select(f => f.Text)];

    [Test]
    public void Every_fragment_in_C_has_a_test() => Assert.That(Sources, Has.Length.EqualTo(2));

    [Test]
    public void A_guest()
    {
        string guest = Build("square", Sources[0]);
        using var output = new StringWriter();

        using MultiUseSandbox sandbox = new SandboxBuilder().WithGuest(guest).WithPrint(output.Write).Build();

        Assert.That(sandbox.Call<int>("Square", 7), Is.EqualTo(49));
        Assert.That(output.ToString(), Is.EqualTo("squaring 7\n"));
    }

    [Test]
    public void A_call_of_a_host_function()
    {
        string guest = Build("sign", Sources[1]);
        byte[] document = RandomNumberGenerator.GetBytes(1000);

        using MultiUseSandbox sandbox = new SandboxBuilder()
            .WithGuest(guest)
            .WithHostFunction("Sign", (string key, byte[] document) => HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), document))
            .Build();

        byte[] signature = sandbox.Call<byte[]>("SignDocument", document, "key");

        Assert.That(signature, Is.EqualTo(HMACSHA256.HashData("key"u8, document)));
    }

    public void Dispose() => _objects.Delete(recursive: true);

    /// <summary>Builds a guest in general mode, which every hypervisor runs.</summary>
    private string Build(string name, string source)
    {
        GuestToolchain.Require();
        string directory = Environment.CurrentDirectory;
        File.WriteAllText($"{name}.c", source);
        (int exitCode, string output) = GuestToolchain.Make(
            directory, "-j2", $"BUILD={_objects}", $"GUEST={name}.elf", $"SOURCES={name}.c", "GUEST_CFLAGS=-Werror");
        Assert.That(exitCode, Is.Zero, output);
        return Path.Combine(directory, $"{name}.elf");
    }
}
