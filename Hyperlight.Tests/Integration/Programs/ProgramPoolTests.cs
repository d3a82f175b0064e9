using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Hyperlight.Programs;
using Hyperlight.Programs.DependencyInjection;
using Hyperlight.Tests.Host.Diagnostics.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A program of an application: its runs take place at the same time, in the sandboxes of a pool.</summary>
internal sealed class ProgramPoolTests(TestTarget target) : ProgramTest(target)
{
    private const int Size = 3;
    private const string Call = """{"name":"meet","arguments":1}""";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static ProgramInput Meet => new() { Arguments = ["call", Call] };

    private static ProgramInput Loop => new() { Arguments = ["loop"] };

    [Test]
    public async Task Runs_take_place_at_the_same_time_up_to_the_size_of_the_pool()
    {
        var meeting = new Meeting(this);
        await using ServiceProvider provider = meeting.Build(new SandboxPoolOptions { MaximumSize = Size });
        IProgramRunner runner = Runner(provider);

        Task<ProgramResult>[] runs = [.. Enumerable.Range(0, Size + 1).Select(_ => runner.RunAsync(Meet))];
        for (int i = 0; i < Size; i++)
        {
            await meeting.ArrivedAsync();
        }

        Assert.That(Sandboxes(provider).Statistics, Has.Property("Rented").EqualTo(Size).And.Property("Waiting").EqualTo(1));
        Assert.That(runs.Count(static run => run.IsCompleted), Is.Zero);

        meeting.End();
        ProgramResult[] results = await Task.WhenAll(runs).WaitAsync(Patience);
        Assert.That(results.Select(static result => result.StandardOutput), Has.All.EqualTo("{\"result\":1}\n"));
        Assert.That(Sandboxes(provider).Statistics.Size, Is.EqualTo(Size));
    }

    [Test]
    public async Task No_run_finds_anything_of_another_one()
    {
        await using ServiceProvider provider = new Meeting(this).Build(new SandboxPoolOptions { MaximumSize = 2 });
        IProgramRunner runner = Runner(provider);

        ProgramResult[] results = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => runner.RunAsync(new ProgramInput { Arguments = ["remember"] }))).WaitAsync(Patience);

        Assert.That(results.Select(static result => result.StandardOutput), Has.All.EqualTo("before 0\n"));
    }

    [Test]
    public async Task A_program_that_does_not_end_stops_no_other_and_its_sandbox_is_replaced()
    {
        await using ServiceProvider provider = new Meeting(this).Build(
            new SandboxPoolOptions { MaximumSize = 2 }, new ProgramLimits { Time = Enough });
        IProgramRunner runner = Runner(provider);

        Task<ProgramResult> hanging = runner.RunAsync(Loop);
        ProgramResult other = await runner.RunAsync(new ProgramInput { Arguments = ["hello"] }).WaitAsync(Patience);
        ProgramResult ended = await hanging.WaitAsync(Patience);

        Assert.That((other.StandardOutput, ended.End), Is.EqualTo(("hello\n", ProgramEnd.TimeLimit)));
        ProgramResult[] later = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => runner.RunAsync(new ProgramInput { Arguments = ["remember"] }))).WaitAsync(Patience);
        Assert.That(later.Select(static result => result.StandardOutput), Has.All.EqualTo("before 0\n"));
    }

    [Test]
    public async Task A_run_that_is_cancelled_ends_alone()
    {
        var meeting = new Meeting(this);
        await using ServiceProvider provider = meeting.Build(new SandboxPoolOptions { MaximumSize = 2 });
        IProgramRunner runner = Runner(provider);
        using var end = new CancellationTokenSource();
        Task<ProgramResult> cancelled = runner.RunAsync(Loop, end.Token);
        Task<ProgramResult> other = runner.RunAsync(Meet);
        await meeting.ArrivedAsync();

        await end.CancelAsync();

        await Assert.ThatAsync(() => cancelled.WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(other.IsCompleted, Is.False);
        meeting.End();
        Assert.That((await other.WaitAsync(Patience)).StandardOutput, Is.EqualTo("{\"result\":1}\n"));
        Assert.That((await runner.RunAsync(new ProgramInput { Arguments = ["hello"] }).WaitAsync(Patience)).StandardOutput, Is.EqualTo("hello\n"));
    }

    [Test]
    public async Task Callers_that_cannot_wait_are_refused_and_others_wait_for_so_long()
    {
        var meeting = new Meeting(this);
        using var metrics = new RecordedMetrics();
        var time = new FakeTimeProvider();
        await using ServiceProvider provider = meeting.Build(
            new SandboxPoolOptions { MaximumSize = 1, QueueLength = 1, WaitTimeout = TimeSpan.FromMilliseconds(300) }, metrics: metrics, time: time);
        IProgramRunner runner = Runner(provider);
        await provider.GetRequiredKeyedService<RegisteredProgram>("test").StartAsync(default);
        Task<ProgramResult> running = runner.RunAsync(Meet);
        await meeting.ArrivedAsync();

        Task<ProgramResult> waiting = runner.RunAsync(Meet);
        await Assert.ThatAsync(() => runner.RunAsync(Meet), Throws.TypeOf<PoolQueueFullException>());
        time.Advance(TimeSpan.FromMilliseconds(300));
        await Assert.ThatAsync(() => waiting.WaitAsync(Patience), Throws.TypeOf<PoolTimeoutException>());
        meeting.End();
        _ = await running.WaitAsync(Patience);

        Assert.That(
            metrics.Of("hyperlight.pool.rent.duration"), Is.EqualTo(new[] { "name=test outcome=ok: 1", "name=test outcome=rejected: 1", "name=test outcome=timed_out: 1" }));
        Assert.That(metrics.Of("hyperlight.program.run.duration"), Is.EqualTo(new[] { "end=exited name=test outcome=ok: 1" }));
    }

    [Test]
    public async Task An_application_that_stops_lets_its_runs_end_and_begins_no_other()
    {
        var meeting = new Meeting(this);
        await using ServiceProvider provider = meeting.Build(new SandboxPoolOptions { MaximumSize = 1 });
        IProgramRunner runner = Runner(provider);
        RegisteredProgram service = provider.GetRequiredKeyedService<RegisteredProgram>("test");
        await service.StartAsync(default);
        Task<ProgramResult> running = runner.RunAsync(Meet);
        await meeting.ArrivedAsync();
        Task<ProgramResult> waiting = runner.RunAsync(Meet);

        Task stopping = service.StopAsync(default);

        await Assert.ThatAsync(() => waiting.WaitAsync(Patience), Throws.TypeOf<PoolClosedException>());
        await Assert.ThatAsync(() => runner.RunAsync(Meet), Throws.TypeOf<PoolClosedException>());
        Assert.That(stopping.IsCompleted, Is.False);
        meeting.End();
        Assert.That((await running.WaitAsync(Patience)).StandardOutput, Is.EqualTo("{\"result\":1}\n"));
        await stopping.WaitAsync(Patience);
        Assert.That(Sandboxes(provider).Statistics.Size, Is.Zero);
    }

    [Test]
    public async Task A_run_that_does_not_end_while_the_application_stops_is_ended()
    {
        await using ServiceProvider provider = new Meeting(this).Build(
            new SandboxPoolOptions { MaximumSize = 1, DrainTimeout = TimeSpan.FromMilliseconds(300) });
        await using ProgramRun running = Runner(provider).Start(new ProgramInput { Arguments = ["ready-serve"], StandardInput = "loop"u8.ToArray() });
        Assert.That(await running.Output.GetAsyncEnumerator().MoveNextAsync().AsTask().WaitAsync(Patience), Is.True, "it has begun");

        await provider.GetRequiredKeyedService<RegisteredProgram>("test").StopAsync(default).WaitAsync(Patience);

        await Assert.ThatAsync(() => running.Result.WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Sandboxes(provider).Statistics.Size, Is.Zero);
    }

    [Test]
    public async Task Runners_share_the_memory_of_their_checkpoint()
    {
        using var metrics = new RecordedMetrics();
        await using ServiceProvider provider = new Meeting(this).Build(
            new SandboxPoolOptions { MaximumSize = Size, MinimumSize = Size }, metrics: metrics, checkpoint: ProgramCheckpoint.EntryPoint);
        await provider.GetRequiredKeyedService<RegisteredProgram>("test").StartAsync(default);
        Assert.That(Sandboxes(provider).Statistics.Idle, Is.EqualTo(Size));
        double[] images = Sizes(metrics);

        await using SandboxLease lease = await Sandboxes(provider).RentAsync();
        using Snapshot snapshot = lease.TakeSnapshot();

        Assert.That(images, Is.EqualTo(new[] { (double)snapshot.Size }).Within(1).Percent, "one image for all");

        static double[] Sizes(RecordedMetrics metrics) => [.. metrics.Of("hyperlight.sandbox.memory")
            .Where(static value => value.Contains("image", StringComparison.Ordinal))
            .Select(static value => double.Parse(value[(value.LastIndexOf(' ') + 1)..], null))];
    }

    [Test]
    public async Task Metrics_and_activities_say_how_runs_ended()
    {
        using var metrics = new RecordedMetrics();
        using var activities = new RecordedActivities();
        await using ServiceProvider provider = new Meeting(this).Build(
            new SandboxPoolOptions { MaximumSize = 1 }, new ProgramLimits { Time = Enough }, metrics);
        IProgramRunner runner = Runner(provider);

        _ = await runner.RunAsync(new ProgramInput { Arguments = ["hello"] });
        _ = await runner.RunAsync(Loop);
        using var end = new CancellationTokenSource();
        Task<ProgramResult> cancelled = runner.RunAsync(Loop, end.Token);
        await Eventually(() => metrics.Of("hyperlight.program.run.active").Length == 1);
        await end.CancelAsync();
        await Assert.ThatAsync(() => cancelled.WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>());

        Assert.That(metrics.Of("hyperlight.program.run.duration"), Is.EqualTo(
            new[] { "end=exited name=test outcome=ok: 1", "end=time_limit name=test outcome=ok: 1", "name=test outcome=canceled: 1" }));
        Assert.That(metrics.Of("hyperlight.program.run.active"), Is.Empty);
        Activity[] runs = [.. activities.Stopped.Where(static activity => activity.OperationName == "hyperlight.program")];
        Assert.That(runs.Select(static run => run.GetTagItem("hyperlight.program.end")), Is.EqualTo(new[] { "exited", "time_limit", null }));
        Assert.That(runs.Select(static run => run.GetTagItem("hyperlight.program.exit_code")), Is.EqualTo(new object?[] { 7, 137, null }));
        Assert.That(runs.Select(static run => run.Status), Is.EqualTo(new[] { ActivityStatusCode.Unset, ActivityStatusCode.Unset, ActivityStatusCode.Error }));
        Assert.That(
            activities.Stopped.Where(activity => activity.ParentSpanId == runs[0].SpanId).Select(static activity => activity.OperationName),
            Is.SupersetOf(new[] { "hyperlight.rent", "hyperlight.call" }));
    }

    [Test]
    public async Task The_health_check_has_the_pools_of_programs()
    {
        await using ServiceProvider provider = new Meeting(this).Build(new SandboxPoolOptions { MaximumSize = 2 });
        _ = await Runner(provider).RunAsync(new ProgramInput { Arguments = ["hello"] });

        HealthReport report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        await Sandboxes(provider).DisposeAsync();
        HealthReport closed = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        Assert.That(report.Status, Is.EqualTo(HealthStatus.Healthy));
        Assert.That(report.Entries["hyperlight"].Data["programs.test.rents"], Is.EqualTo(1));
        Assert.That((closed.Status, closed.Entries["hyperlight"].Description), Is.EqualTo((HealthStatus.Unhealthy, "The pool 'test' is closed.")));
    }

    private static async Task Eventually(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(Patience));
            await Task.Delay(10);
        }
    }

    private static IProgramRunner Runner(ServiceProvider provider) => provider.GetRequiredKeyedService<IProgramRunner>("test");

    private static SandboxPool Sandboxes(ServiceProvider provider) => provider.GetRequiredKeyedService<RegisteredProgram>("test").Sandboxes;

    /// <summary>An application with a program whose runs wait in a tool until they may end.</summary>
    private sealed class Meeting(ProgramPoolTests test)
    {
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Channel<bool> _arrived = Channel.CreateUnbounded<bool>();

        public async Task ArrivedAsync() => _ = await _arrived.Reader.ReadAsync().AsTask().WaitAsync(Patience);

        public void End() => _end.SetResult();

        public ServiceProvider Build(
            SandboxPoolOptions pool, ProgramLimits? limits = null, RecordedMetrics? metrics = null, ProgramCheckpoint checkpoint = default,
            TimeProvider? time = null)
        {
            IServiceCollection services = new ServiceCollection().AddLogging();
            if (metrics is not null)
            {
                services.AddSingleton<IMeterFactory>(metrics);
            }

            if (time is not null)
            {
                services.AddSingleton(time);
            }

            // Threads of its own: programs of other fixtures that compute without end take those of the process.
            services.AddHyperlight(static options => options.GuestThreads = new GuestThreads(Size)).RemoveBuiltInDrivers().AddDriver(test.Target.Hypervisor).AddProgram("test", options =>
            {
                options.Image = ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions);
                options.Checkpoint = checkpoint;
                options.Limits = test.WithTime(limits ?? new ProgramLimits());
                options.Pool = pool;
                options.Tools = [ProgramTool.Create("meet", async (arguments, cancellationToken) =>
                {
                    await _arrived.Writer.WriteAsync(true, cancellationToken);
                    await _end.Task;
                    return arguments;
                })];
            });
            services.AddHealthChecks().AddHyperlight();
            return services.BuildServiceProvider();
        }
    }
}
