using System.Globalization;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Documentation;

/// <summary>The table of limits in docs/configuration.md: the limit is accepted, and the next value is not.</summary>
[TestFixture]
internal sealed class LimitsTableTests
{
    private static readonly Dictionary<string, string> Rows = new MarkdownPage("docs/configuration.md").Rows
        .SkipWhile(row => row[0] != "limit").Skip(1).ToDictionary(row => row[0], row => row[1]);

    private readonly HashSet<string> _checked = [];
    private MultiUseSandbox _sandbox = null!;

    private static SandboxBuilder Builder => new SandboxBuilder()
        .UseEmulator()
        .WithGuest(Path.Combine(AppContext.BaseDirectory, "guests", TestTargets.GeneralGuest));

    [SetUp]
    public void Build() => _sandbox = Builder.Build();

    [TearDown]
    public void Dispose() => _sandbox.Dispose();

    [OneTimeTearDown]
    public void Every_limit_was_checked() => Assert.That(_checked, Is.EquivalentTo(Rows.Keys));

    [Test]
    public void Arguments_of_a_call()
    {
        int limit = Limit("arguments of a call");

        // The guest answers to the largest number, with an error; a larger one does not reach it.
        Assert.That(() => _sandbox.Call<int>("Add", Arguments(limit)), Throws.TypeOf<GuestErrorException>());
        Assert.That(() => _sandbox.Call<int>("Add", Arguments(limit + 1)), Throws.TypeOf<ArgumentException>());

        static GuestValue[] Arguments(int count) => [.. Enumerable.Range(0, count).Select(i => (GuestValue)i)];
    }

    [Test]
    public void Parameters_of_a_host_function() => Assert.That(
        typeof(HostFunctionExtensions).GetMethods()
            .SelectMany(method => method.GetParameters())
            .Select(parameter => parameter.ParameterType)
            .Where(type => type.Name.StartsWith("Action`", StringComparison.Ordinal))
            .Max(type => type.GetGenericArguments().Length),
        Is.EqualTo(Limit("parameters of a delegate that is a host function")));

    [Test]
    public void A_message_to_the_guest()
    {
        int size = new SandboxConfiguration().InputBufferSize;
        int overhead = Limit("a message to the guest");

        var error = Assert.Throws<MessageTooLargeException>(() => _sandbox.Call<byte[]>("EchoBytes", new byte[size]))!;
        long fits = size - (error.Size - error.Limit);

        Assert.That(error.Limit, Is.EqualTo(size - overhead));
        Assert.That(_sandbox.Call<ulong>("SumBytes", new byte[fits]), Is.Zero);
        Assert.That(() => _sandbox.Call<ulong>("SumBytes", new byte[fits + 8]), Throws.TypeOf<MessageTooLargeException>());
    }

    [Test]
    public void File_mappings()
    {
        int limit = Limit("file mappings, with `FileMappingTable`");
        using var files = new TestFiles();
        string path = files.New("file", 4096);
        using MultiUseSandbox sandbox = Builder.WithConfiguration(new SandboxConfiguration { FileMappingTable = true }).Build();

        for (int i = 0; i < limit; i++)
        {
            sandbox.MapFile(path, 0x1000_0000 + ((ulong)i * 0x1000), $"file{i}");
        }

        Assert.That(() => sandbox.MapFile(path, 0x2000_0000), Throws.TypeOf<MappingLimitException>());
    }

    [Test]
    public void A_label()
    {
        int limit = Limit("label of a file mapping");

        _ = Builder.WithFileMapping("file", 0x1000_0000, new string('a', limit));
        Assert.That(() => Builder.WithFileMapping("file", 0x1000_0000, new string('a', limit + 1)), Throws.TypeOf<ArgumentException>());
        Assert.That(() => Builder.WithFileMapping("file", 0x1000_0000, new string('a', limit - 1) + 'ä'), Throws.TypeOf<ArgumentException>());
    }

    [Test]
    public void Registers()
    {
        int limit = Limit("registers that `MsrPolicy.With` adds");
        uint[] registers = [.. Enumerable.Range(0x200, limit + 1).Select(i => (uint)i)];

        Assert.That(MsrPolicy.None.With(registers.AsSpan(1)).Additional, Has.Count.EqualTo(limit));
        Assert.That(() => MsrPolicy.None.With(registers), Throws.TypeOf<GuestMsrException>());
    }

    [Test]
    public void Physical_addresses()
    {
        ulong limit = (ulong)Limit("guest physical addresses") << 30;

        _ = Builder.WithFileMapping("file", limit - 0x1000);
        Assert.That(() => Builder.WithFileMapping("file", limit), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void The_image()
    {
        ulong limit = ulong.Parse(Row("end of the image with its heap")[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);

        GuestMemoryLayout.CheckImage(limit - GuestAddresses.ImageBase);
        Assert.That(() => GuestMemoryLayout.CheckImage(limit - GuestAddresses.ImageBase + 1), Throws.TypeOf<MemoryRequestException>());
    }

    [Test]
    public void A_message_of_an_abort()
    {
        int limit = Limit("message of a guest's abort");

        AssertAborts(new string('a', limit), 7, new string('a', limit));
        AssertAborts(new string('a', limit + 1), 0, "Guest abort buffer overflowed");

        void AssertAborts(string message, byte code, string expected)
        {
            using MultiUseSandbox sandbox = Builder.Build();
            var error = Assert.Throws<GuestAbortedException>(() => sandbox.Call<int>("AbortWithMessage", 7, message))!;
            Assert.That(error.Code, Is.EqualTo(code));
            Assert.That(error.GuestMessage, Is.EqualTo(expected));
        }
    }

    /// <summary>The number in a row's value.</summary>
    private int Limit(string row) =>
        int.Parse(new string([.. Row(row).Replace("UTF-8", "", StringComparison.Ordinal).Where(char.IsAsciiDigit)]), CultureInfo.InvariantCulture);

    private string Row(string row)
    {
        _checked.Add(row);
        return Rows[row];
    }
}
