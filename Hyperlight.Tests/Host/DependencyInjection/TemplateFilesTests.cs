using Hyperlight.Tests.Integration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hyperlight.Tests.Host.DependencyInjection;

/// <summary>Guests of templates that are embedded resources or relative paths, and files that templates map.</summary>
[TestFixture]
internal sealed class TemplateFilesTests
{
    private const string Template = "Hyperlight:Sandboxes:test:";

    private static readonly string Guest = Path.Combine(AppContext.BaseDirectory, "guests", TestTargets.GeneralGuest);

    private TestFiles _files = null!;

    [SetUp]
    public void CreateFiles() => _files = new TestFiles();

    [TearDown]
    public void RemoveFiles() => _files.Dispose();

    [Test]
    public void A_guest_can_be_read_from_a_resource()
    {
        GuestBinary guest = GuestBinary.FromResource(typeof(TemplateFilesTests).Assembly, "hello.elf");

        using MultiUseSandbox sandbox = new SandboxBuilder().UseEmulator().WithGuest(guest)
            .WithHostFunction("GetWeekday", () => "Monday").Build();
        Assert.That(sandbox.Call<string>("SayHello", "Ada"), Does.StartWith("Hello, Ada!"));
        Assert.That(guest.Source, Is.EqualTo("hello.elf of Hyperlight.Tests"));
    }

    [Test]
    public void A_resource_that_does_not_exist_is_an_error_that_lists_those_there_are() => Assert.That(
        () => GuestBinary.FromResource(typeof(TemplateFilesTests).Assembly, "Hello.elf"),
        Throws.TypeOf<GuestBinaryException>().With.Message.Contains("'Hyperlight.Tests' has no such resource; it has: hello.elf"));

    [Test]
    public async Task A_template_can_have_a_resource_as_its_guest([Values] bool isDefaultAssembly)
    {
        await using ServiceProvider services = Build(
            isDefaultAssembly ? Environment(applicationName: "Hyperlight.Tests") : null,
            (Template + "GuestResource", "hello.elf"), (isDefaultAssembly ? "Unused:Key" : Template + "GuestAssembly", "Hyperlight.Tests"));

        await using SandboxLease lease = await services.GetRequiredKeyedService<ISandboxPool>("test").RentAsync();

        Assert.That(lease.Call<int>("Add", 1, 2), Is.EqualTo(3));
    }

    [Test]
    public void A_resource_that_is_not_there_ends_the_start_and_names_the_key()
    {
        AssertProblem(
            $"{Template}GuestResource is 'other.elf', and the assembly 'Hyperlight.Tests' has no such resource; it has: hello.elf.",
            (Template + "GuestResource", "other.elf"), (Template + "GuestAssembly", "Hyperlight.Tests"));
        AssertProblem(
            $"{Template}GuestAssembly is 'Missing', and there is no such assembly. Set it to",
            (Template + "GuestResource", "hello.elf"), (Template + "GuestAssembly", "Missing"));
        AssertProblem(
            $"{Template}GuestAssembly is 'a,b=c', and there is no such assembly. Set it to",
            (Template + "GuestResource", "hello.elf"), (Template + "GuestAssembly", "a,b=c"));
        AssertProblem(
            $"{Template}Guest is '{Guest}' and GuestResource is 'hello.elf': these are 2 guests.",
            (Template + "Guest", Guest), (Template + "GuestResource", "hello.elf"), (Template + "GuestAssembly", "Hyperlight.Tests"));
    }

    [Test]
    public async Task A_relative_path_begins_in_the_content_root_or_beside_the_application()
    {
        File.Copy(Guest, Path.Combine(_files.Directory, "own.elf"));
        await AssertRuns("own.elf");
        await AssertRuns(Path.Combine("guests", TestTargets.GeneralGuest));

        async Task AssertRuns(string guest)
        {
            await using ServiceProvider services = Build(Environment(_files.Directory), (Template + "Guest", guest));
            services.GetRequiredService<IStartupValidator>().Validate();
            await using SandboxLease lease = await services.GetRequiredKeyedService<ISandboxPool>("test").RentAsync();
            Assert.That(lease.Call<int>("Add", 1, 2), Is.EqualTo(3));
        }
    }

    [Test]
    public void A_message_about_a_relative_path_says_where_it_begins()
    {
        AssertProblem($"Relative paths begin in '{_files.Directory}' or '{AppContext.BaseDirectory}'.", (Template + "Guest", "missing.elf"));
        AssertProblem($"{Template}Guest is 'a\0b', and there is no such file.", (Template + "Guest", "a\0b"));
    }

    [Test]
    public async Task The_guest_gets_a_file_as_its_init_data()
    {
        File.WriteAllBytes(Path.Combine(_files.Directory, "data.bin"), [1, 2, 3]);
        await using ServiceProvider services = Build(
            Environment(_files.Directory), (Template + "Guest", Guest), (Template + "InitDataFile", "data.bin"));
        ISandboxPool pool = services.GetRequiredKeyedService<ISandboxPool>("test");

        for (int i = 0; i < 2; i++)
        {
            await using SandboxLease lease = await pool.RentAsync();
            Assert.That(lease.Call<byte[]>("GetInitData"), Is.EqualTo(new byte[] { 1, 2, 3 }));
        }

        AssertProblem(
            Template + "InitDataFile is 'data.bin', but sandboxes of a snapshot have the init data of the snapshot. Remove it",
            (Template + "SnapshotDirectory", _files.Directory), (Template + "InitDataFile", "data.bin"));
    }

    [Test]
    public async Task A_template_maps_the_files_of_the_configuration_and_of_the_code()
    {
        const ulong address = 0x1_0000_0000;
        string other = _files.New("other.bin", 4096);
        _files.New("model.bin", 8192);
        var collection = new ServiceCollection();
        collection.AddSingleton(Environment(_files.Directory));
        await using ServiceProvider services = collection
            .AddHyperlight(Section((Template + "Guest", Guest), (Template + "FileMappings:0:Path", "model.bin"),
                (Template + "FileMappings:0:GuestAddress", "0x100000000"), (Template + "FileMappings:0:Label", "weights"),
                (Template + "Configuration:FileMappingTable", "true")))
            .AddSandbox("test", o => o.AddFileMapping(other, address + 0x10000))
            .Services.BuildServiceProvider();
        services.GetRequiredService<IStartupValidator>().Validate();

        await using SandboxLease lease = await services.GetRequiredKeyedService<ISandboxPool>("test").RentAsync();

        Assert.That(lease.Call<ulong>("FindMapping", "weights"), Is.EqualTo(address));
        Assert.That(lease.Call<ulong>("FindMapping", "other.bin"), Is.EqualTo(address + 0x10000));
        lease.Call("MapPhysical", address, 8192UL);
        Assert.That(lease.Call<ulong>("Peek", address + 4096), Is.EqualTo(TestFiles.Word(4096)));
    }

    [Test]
    public void A_file_mapping_that_cannot_be_used_ends_the_start_and_names_the_key()
    {
        string file = _files.New("model.bin", 4096);
        AssertMapping("FileMappings:0:Path is 'missing', and there is no such file. Set it to", ("0:Path", "missing"), ("0:GuestAddress", "4 GiB"));
        AssertMapping("FileMappings:0:Path is not set. Set it to the path of a file.", ("0:GuestAddress", "4 GiB"));
        AssertMapping("FileMappings:a:GuestAddress is not set. Set it to a guest physical address", ("a:Path", file));
        AssertMapping("FileMappings:0:GuestAddress is '0x10'. Set it to", ("0:Path", file), ("0:GuestAddress", "0x10"));
        AssertMapping("FileMappings:0:GuestAddress is '0x1000000000'. Set it to", ("0:Path", file), ("0:GuestAddress", "0x1000000000"));
        AssertMapping("FileMappings:0:GuestAddress is 'x'. Set it to", ("0:Path", file), ("0:GuestAddress", "x"));
        AssertMapping(
            $"FileMappings:0:Label is '{new string('a', 64)}'. Set it to a name of at most 63 bytes",
            ("0:Path", file), ("0:GuestAddress", "4 GiB"), ("0:Label", new string('a', 64)));
        AssertMapping("FileMappings:0:Adress is not a setting", ("0:Path", file), ("0:Adress", "4 GiB"));
        AssertMapping($"FileMappings:0 is '{file}'. Set it to a section with Path and GuestAddress.", ("0", file));
        AssertProblem($"{Template}FileMappings is 'x'. Set it to a list", (Template + "Guest", Guest), (Template + "FileMappings", "x"));

        void AssertMapping(string message, params (string Key, string Value)[] mapping) => AssertProblem(
            Template + message, [(Template + "Guest", Guest), .. mapping.Select(pair => ($"{Template}FileMappings:{pair.Key}", pair.Value))]);
    }

    [Test]
    public void A_file_mapping_that_code_adds_is_checked()
    {
        var options = new SandboxTemplateOptions();
        Assert.That(() => options.AddFileMapping("", 0x1000), Throws.ArgumentException);
        Assert.That(() => options.AddFileMapping("a", 1), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => options.AddFileMapping("a", 0x1000, new string('a', 64)), Throws.ArgumentException);
        using ServiceProvider services = new ServiceCollection().AddHyperlight()
            .AddSandbox("test", o => o.AddFileMapping("missing", 0x1_0000_0000).Guest = Guest)
            .Services.BuildServiceProvider();
        Assert.That(
            () => services.GetRequiredService<IStartupValidator>().Validate(),
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains("AddFileMapping: Path is 'missing', and there is no such file."));
    }

    private void AssertProblem(string message, params (string Key, string Value)[] configuration)
    {
        using ServiceProvider services = Build(Environment(_files.Directory), configuration);
        Assert.That(
            () => services.GetRequiredService<IStartupValidator>().Validate(),
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains(message));
    }

    private static ServiceProvider Build(IHostEnvironment? environment, params (string Key, string Value)[] configuration)
    {
        var collection = new ServiceCollection();
        if (environment is not null)
        {
            collection.AddSingleton(environment);
        }

        return collection.AddHyperlight(Section(configuration)).Services.BuildServiceProvider();
    }

    private static IConfigurationSection Section(params (string Key, string Value)[] configuration) => new ConfigurationBuilder()
        .AddInMemoryCollection(configuration.Append(("Hyperlight:Hypervisor", "emulator"))
            .Select(pair => KeyValuePair.Create(pair.Item1, (string?)pair.Item2)))
        .Build()
        .GetSection("Hyperlight");

    private static IHostEnvironment Environment(string? contentRoot = null, string applicationName = "") => Moq.Mock.Of<IHostEnvironment>(
        e => e.ContentRootPath == (contentRoot ?? AppContext.BaseDirectory) && e.ApplicationName == applicationName);
}
