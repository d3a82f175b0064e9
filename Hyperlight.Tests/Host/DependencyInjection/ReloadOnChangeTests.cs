using System.Collections.Concurrent;
using System.Diagnostics;
using Hyperlight.Host.DependencyInjection;
using Hyperlight.Tests.Integration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Hyperlight.Tests.Host.DependencyInjection;

/// <summary>A template is loaded again after the file of its guest or snapshot was replaced.</summary>
[TestFixture]
internal sealed class ReloadOnChangeTests
{
    private const string Reloaded = "has loaded its template again";
    private const string Failed = "continues with the old template";

    private static readonly string Guests = Path.Combine(AppContext.BaseDirectory, "guests");

    private TestFiles _files = null!;
    private RecordingLoggers _loggers = null!;
    private FakeTimeProvider _time = null!;

    [SetUp]
    public void Create()
    {
        _files = new TestFiles();
        _loggers = new RecordingLoggers(LogLevel.Information);
        _time = new FakeTimeProvider();
    }

    [TearDown]
    public void Remove() => _files.Dispose();

    [Test]
    public async Task A_guest_that_is_replaced_is_loaded_and_one_that_cannot_be_loaded_is_not_used()
    {
        string guest = Path.Combine(_files.Directory, "guest.elf");
        File.Copy(Path.Combine(Guests, "hello.elf"), guest);
        await using ServiceProvider services = Build(("Guest", guest));
        ISandboxPool pool = services.GetRequiredKeyedService<ISandboxPool>("test");
        Assert.That(await CallAsync<string>(pool, "SayHello", "Ada"), Does.StartWith("Hello, Ada!"));

        File.Copy(Path.Combine(Guests, TestTargets.GeneralGuest), guest, overwrite: true);
        AdvanceUntil(() => Count(Reloaded) == 1);
        Assert.That(await CallAsync<int>(pool, "RoundTripInt", 4), Is.EqualTo(4));

        File.WriteAllText(guest, "not a guest");
        AdvanceUntil(() => Count(Failed) == 1);
        File.Delete(guest);
        Advance(5);
        Assert.That(await CallAsync<int>(pool, "RoundTripInt", 4), Is.EqualTo(4), "the old guest");

        File.Copy(Path.Combine(Guests, "hello.elf"), guest);
        AdvanceUntil(() => Count(Reloaded) == 2);
        Assert.That(await CallAsync<string>(pool, "SayHello", "Ada"), Does.StartWith("Hello, Ada!"));
        Assert.That(Count(Failed), Is.EqualTo(1), "A file that cannot be loaded is tried once.");
    }

    [Test]
    public async Task A_load_does_not_run_with_the_context_of_the_request_that_used_the_pool_first()
    {
        var request = new AsyncLocal<string?>();
        var seen = new ConcurrentQueue<string?>();
        string guest = Path.Combine(_files.Directory, "guest.elf");
        File.Copy(Path.Combine(Guests, "hello.elf"), guest);
        await using ServiceProvider services = new ServiceCollection().AddSingleton<TimeProvider>(_time).AddSingleton<ILoggerFactory>(_loggers)
            .AddHyperlight(o => o.UseEmulator())
            .AddSandbox("test", o =>
            {
                o.Guest = guest;
                o.ReloadOnChange = true;
                o.ConfigureSandbox(builder =>
                {
                    seen.Enqueue(request.Value);
                    builder.WithHostFunction("GetWeekday", static () => "Monday");
                });
            }).Services.BuildServiceProvider();
        request.Value = "a request";
        ISandboxPool pool = services.GetRequiredKeyedService<ISandboxPool>("test");
        request.Value = null;
        Assert.That(await CallAsync<string>(pool, "SayHello", "Ada"), Does.StartWith("Hello, Ada!"));

        File.Copy(Path.Combine(Guests, TestTargets.GeneralGuest), guest, overwrite: true);
        AdvanceUntil(() => Count(Reloaded) == 1);

        Assert.That(seen, Is.Not.Empty.And.All.Null);
    }

    [Test]
    public async Task A_snapshot_that_is_saved_again_is_loaded()
    {
        string directory = Path.Combine(_files.Directory, "snapshots");
        using MultiUseSandbox sandbox = new SandboxBuilder().UseEmulator().WithGuest(Path.Combine(Guests, TestTargets.GeneralGuest))
            .WithHostFunction("HostEchoInt", (int x) => x).Build();
        Save();
        await using ServiceProvider services = Build(("SnapshotDirectory", directory));
        ISandboxPool pool = services.GetRequiredKeyedService<ISandboxPool>("test");
        Assert.That(await CallAsync<int>(pool, "IncrementCounter"), Is.EqualTo(1));

        Assert.That(sandbox.Call<int>("IncrementCounter"), Is.EqualTo(1));
        Save();
        AdvanceUntil(() => Count(Reloaded) == 1);

        Assert.That(await CallAsync<int>(pool, "IncrementCounter"), Is.EqualTo(2));

        void Save()
        {
            using Snapshot snapshot = sandbox.TakeSnapshot();
            snapshot.Save(directory);
        }
    }

    [Test]
    public async Task Without_the_option_or_after_the_end_nothing_is_loaded()
    {
        string guest = Path.Combine(_files.Directory, "guest.elf");
        File.Copy(Path.Combine(Guests, "hello.elf"), guest);
        await using ServiceProvider without = Build(("Guest", guest), ("ReloadOnChange", "false"));
        ServiceProvider ended = Build(("Guest", guest));
        _ = await CallAsync<string>(without.GetRequiredKeyedService<ISandboxPool>("test"), "SayHello", "Ada");
        _ = await CallAsync<string>(ended.GetRequiredKeyedService<ISandboxPool>("test"), "SayHello", "Ada");
        await ended.DisposeAsync();

        File.WriteAllText(guest, "not a guest");
        Advance(5);

        Assert.That((Count(Reloaded), Count(Failed)), Is.EqualTo((0, 0)));
    }

    [Test]
    public void A_guest_that_is_not_a_file_cannot_be_watched()
    {
        using ServiceProvider services = Build(("GuestResource", "hello.elf"), ("GuestAssembly", "Hyperlight.Tests"));

        Assert.That(
            () => services.GetRequiredService<IStartupValidator>().Validate(),
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains(
                "Hyperlight:Sandboxes:test:ReloadOnChange is true, but the guest is not a file. Set it to false, or set Guest or SnapshotDirectory."));
    }

    [Test]
    public void A_stamp_is_that_of_the_file_that_links_lead_to()
    {
        string first = Directory.CreateDirectory(Path.Combine(_files.Directory, "v1")).FullName;
        string second = Directory.CreateDirectory(Path.Combine(_files.Directory, "v2")).FullName;
        File.WriteAllText(Path.Combine(first, "guest"), "1");
        File.WriteAllText(Path.Combine(second, "guest"), "22");
        string current = Path.Combine(_files.Directory, "current");
        string link = Path.Combine(_files.Directory, "guest");
        Directory.CreateSymbolicLink(current, first);
        File.CreateSymbolicLink(link, Path.Combine("current", "guest"));
        FileStamp? before = FileStamp.Of(link);

        Directory.Delete(current);
        Directory.CreateSymbolicLink(current, second);

        Assert.That(before!.Value.Size, Is.EqualTo(1));
        Assert.That(FileStamp.Of(link)!.Value.Size, Is.EqualTo(2), "A directory in the path is another one.");
        Assert.That(FileStamp.Of(Path.Combine(_files.Directory, "missing")), Is.Null);
        Assert.That(FileStamp.Of(_files.Directory), Is.Null, "a directory");
        Directory.Delete(current);
        Assert.That(FileStamp.Of(link), Is.Null, "a link that leads nowhere");
    }

    [Test]
    public void A_change_of_the_same_size_is_seen_by_its_time()
    {
        string file = _files.New("guest", 10);
        FileStamp? before = FileStamp.Of(file);

        File.SetLastWriteTimeUtc(file, before!.Value.LastWriteTime.AddSeconds(1));

        Assert.That(FileStamp.Of(file), Is.Not.EqualTo(before));
    }

    private static async Task<T> CallAsync<T>(ISandboxPool pool, string function, params GuestValue[] arguments)
    {
        await using SandboxLease lease = await pool.RentAsync();
        return lease.Call<T>(function, arguments);
    }

    private int Count(string text) => _loggers.All.Count(record => record.Text.Contains(text, StringComparison.Ordinal));

    private void AdvanceUntil(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(TimeSpan.FromSeconds(60)), "It was not loaded.");
            Advance(1);
        }
    }

    private void Advance(int intervals)
    {
        for (int i = 0; i < intervals; i++)
        {
            _time.Advance(TemplateWatcher.Interval);
            Thread.Sleep(10);
        }
    }

    private ServiceProvider Build(params (string Key, string Value)[] template)
    {
        var values = new Dictionary<string, string?> { ["Hyperlight:Hypervisor"] = "emulator", ["Hyperlight:Sandboxes:test:ReloadOnChange"] = "true" };
        foreach ((string key, string value) in template)
        {
            values[$"Hyperlight:Sandboxes:test:{key}"] = value;
        }

        var collection = new ServiceCollection();
        collection.AddSingleton<ILoggerFactory>(_loggers);
        collection.AddSingleton<TimeProvider>(_time);
        return collection
            .AddHyperlight(new ConfigurationBuilder().AddInMemoryCollection(values).Build().GetSection("Hyperlight"))
            .AddSandbox("test", o => o.ConfigureSandbox(builder => builder
                .WithHostFunction("GetWeekday", () => "Monday")
                .WithHostFunction("HostEchoInt", (int x) => x)))
            .Services.BuildServiceProvider();
    }
}
