using System.Diagnostics;
using Hyperlight.Abstractions;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;

namespace Hyperlight.Tests.Host.Diagnostics.Telemetry;

/// <summary>The activities of a sandbox: their names, tags, parents and ends.</summary>
[TestFixture]
internal sealed class ActivityTests : ScriptedSandboxTest
{
    private RecordedActivities _activities = null!;

    [SetUp]
    public void Listen() => _activities = new RecordedActivities();

    [TearDown]
    public void StopListening() => _activities.Dispose();

    [Test]
    public void A_call_is_an_activity_with_its_host_calls_as_children()
    {
        Activity? inside = null;
        Sandbox.WithHostFunction("Add", (int a, int b) =>
        {
            inside = Activity.Current;
            return a + b;
        });
        Guest.Then(CallHost).Then(CallHost).Answer(GoldenVectors.IntResult);
        Sandbox.Call<int>("Add");

        Activity[] ended = [.. _activities.Stopped];
        Assert.That(ended.Select(a => a.OperationName), Is.EqualTo(new[] { "hyperlight.host_call", "hyperlight.host_call", "hyperlight.call" }));
        Activity call = ended[2];
        Assert.That(call.Parent, Is.SameAs(_activities.Root));
        Assert.That(ended[0].Parent, Is.SameAs(call));
        Assert.That(ended[1].Parent, Is.SameAs(call));
        Assert.That(inside, Is.SameAs(ended[1]), "the function's own activities become children of its activity");
        Assert.That(Activity.Current, Is.SameAs(_activities.Root));
        AssertTags(call, "hyperlight.driver=mock", "hyperlight.function=Add", "hyperlight.guest=<memory>", "hyperlight.host_calls=2", "hyperlight.outcome=ok", $"hyperlight.sandbox.id={Sandbox.Id}");
        AssertTags(ended[0], "hyperlight.driver=mock", "hyperlight.host_function=Add", "hyperlight.outcome=ok");
        Assert.That(call.Status, Is.EqualTo(ActivityStatusCode.Unset));
    }

    [Test]
    public void A_failed_call_has_the_error()
    {
        Guest.Answer(GoldenVectors.ErrorResult);
        Assert.That(() => Sandbox.Call<int>("Fail"), Throws.TypeOf<GuestErrorException>());

        Activity call = _activities.Stopped.Single();
        Assert.That(call.Status, Is.EqualTo(ActivityStatusCode.Error));
        Assert.That(call.StatusDescription, Does.Contain("boom"));
        Assert.That(call.GetTagItem("error.type"), Is.EqualTo("Hyperlight.GuestErrorException"));
        Assert.That(call.GetTagItem("hyperlight.outcome"), Is.EqualTo("guest_error"));
    }

    [Test]
    public void A_guest_cannot_create_any_number_of_activities()
    {
        const int calls = SandboxTelemetry.MaximumHostCallActivities + 20;
        Sandbox.WithHostFunction("Add", (int a, int b) => a + b);
        Guest.Then(CallHost);
        for (int i = 1; i < calls; i++)
        {
            Guest.Then(CallHost);
        }

        Guest.Answer(GoldenVectors.IntResult);
        Sandbox.Call<int>("Add");

        Assert.That(_activities.Stopped, Has.Count.EqualTo(SandboxTelemetry.MaximumHostCallActivities + 1));
        Assert.That(_activities.Stopped[^1].GetTagItem("hyperlight.host_calls"), Is.EqualTo(calls));
    }

    [Test]
    public async Task The_activity_of_an_asynchronous_call_is_current_in_the_call_alone()
    {
        var completion = new TaskCompletionSource<int>();
        Activity? inside = null;
        Sandbox.WithHostFunction("Add", async (int _, int _) =>
        {
            int result = await completion.Task.ConfigureAwait(false);
            inside = Activity.Current;
            return result;
        });
        Guest.Then(CallHost).Answer(GoldenVectors.IntResult);

        Task<int> task = Sandbox.CallAsync<int>("Add");
        Assert.That(Activity.Current, Is.SameAs(_activities.Root), "while the call is in progress");
        completion.SetResult(3);
        await task;

        Assert.That(Activity.Current, Is.SameAs(_activities.Root));
        Activity[] ended = [.. _activities.Stopped];
        Assert.That(ended.Select(a => a.OperationName), Is.EqualTo(new[] { "hyperlight.host_call", "hyperlight.call" }));
        Assert.That(ended[0].Parent, Is.SameAs(ended[1]));
        Assert.That(ended[1].Parent, Is.SameAs(_activities.Root));
        Assert.That(inside, Is.SameAs(ended[0]));
    }

    [Test]
    public void Creating_a_snapshot_and_restoring_it_are_activities()
    {
        using (Snapshot snapshot = Sandbox.TakeSnapshot())
        {
            Sandbox.Restore(snapshot);
            Guest.Forget();
            using MultiUseSandbox other = Guest.Builder().WithSnapshot(snapshot).Build();
        }

        Activity[] ended = [.. _activities.Stopped];
        Assert.That(ended.Select(a => a.OperationName), Is.EqualTo(new[] { "hyperlight.snapshot", "hyperlight.restore", "hyperlight.create" }));
        AssertTags(ended[0], "hyperlight.driver=mock", "hyperlight.guest=<memory>", "hyperlight.outcome=ok", $"hyperlight.sandbox.id={Sandbox.Id}");
        Assert.That(ended[2].GetTagItem("hyperlight.sandbox.origin"), Is.EqualTo("snapshot"));
    }

    private static void AssertTags(Activity activity, params string[] tags) =>
        Assert.That(activity.TagObjects.Select(t => $"{t.Key}={t.Value}").Order(StringComparer.Ordinal), Is.EqualTo(tags));

    private VmExit CallHost()
    {
        Guest.PopInput();
        Guest.PushOutput(GoldenVectors.AddCall);
        return VmExit.IoOut(101, 0, 4);
    }
}
