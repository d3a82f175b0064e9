using System.Diagnostics;

namespace Hyperlight.Samples.AspNetFunctions.Tests;

/// <summary>What the service does when a limit is reached. The driver makes no difference.</summary>
internal sealed class LimitTests
{
    [TestCase("Functions:CallTimeout", "ms of wall-clock time, and the limit is 5000 ms")]
    [TestCase("Functions:CpuTime", "ms of CPU time, and the limit is 5000 ms")]
    public async Task A_guest_that_does_not_end_is_ended_at_the_time_limit(string limit, string detail)
    {
        await using var service = new FunctionService("emulator", (limit, "00:00:05"));
        using HttpClient client = service.CreateClient();
        Answer answer = await FunctionService.CallAsync(client, "Spin");
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((504, "time-limit, guest")));
        Assert.That(answer.Detail, Does.Contain(detail));
        Assert.That((await FunctionService.CallAsync(client, "Add", "[1,2]")).Result.GetInt32(), Is.EqualTo(3));
    }

    [TestCase("CallHostForever", "[]", "it used 51 host calls, and the limit is 50")]
    [TestCase("Log", "[\"a record\",21]", "it used 21 log records, and the limit is 20")]
    public async Task A_guest_that_exceeds_its_budget_is_ended(string function, string arguments, string detail)
    {
        await using var service = new FunctionService(
            "emulator", ("Functions:HostCalls", "50"), ("Functions:LogRecords", "20"), ("Logging:LogLevel:Hyperlight.Guest", "Information"));
        using HttpClient client = service.CreateClient();
        Answer answer = await FunctionService.CallAsync(client, function, arguments);
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((422, "budget-exceeded, guest")));
        Assert.That(answer.Detail, Does.Contain(detail));
        Assert.That((await FunctionService.CallAsync(client, "Add", "[1,2]")).Result.GetInt32(), Is.EqualTo(3));
    }

    [Test]
    public async Task A_body_that_is_too_large_is_refused()
    {
        await using var service = new FunctionService("emulator", ("Functions:MaximumBodySize", "100"));
        using HttpClient client = service.CreateClient();
        Answer answer = await FunctionService.CallAsync(client, "Remember", $"[\"{new string('x', 100)}\"]");
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((413, "body-too-large, caller")));
    }

    [Test]
    public async Task Arguments_that_the_sandbox_cannot_hold_are_refused()
    {
        await using var service = new FunctionService("emulator");
        using HttpClient client = service.CreateClient();
        Answer answer = await FunctionService.CallAsync(client, "Remember", $"[\"{new string('x', 40_000)}\"]");
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((413, "arguments-too-large, caller")));
    }

    [Test]
    public async Task Requests_that_would_wait_for_too_long_are_refused()
    {
        await using var service = new FunctionService(
            "emulator", ("Functions:MaximumSandboxes", "1"), ("Functions:QueueLength", "1"), ("Functions:WaitTimeout", "00:00:05"), ("Functions:MaximumDelay", "15000"));
        using HttpClient client = service.CreateClient();

        // The first one has the sandbox until the others have waited for too long, also on a busy machine.
        long before = await FunctionService.CountRentsAsync(client);
        Task<Answer> first = FunctionService.CallAsync(client, "Wait", "[15000]");
        await FunctionService.WaitForRentsAsync(client, before + 1);
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => FunctionService.CallAsync(client, "Wait", "[1]")).Prepend(first));
        Assert.That(answers.Select(answer => answer.Status).Order(), Is.EqualTo([200, 503, 503, 503]));
        Assert.That(answers.Where(answer => answer.Status == 503).Select(answer => answer.Problem), Is.All.EqualTo("busy, host"));
        Assert.That((await FunctionService.CallAsync(client, "Add", "[1,2]")).Result.GetInt32(), Is.EqualTo(3));
    }

    [Test]
    public async Task Too_many_requests_of_an_address_are_refused()
    {
        await using var service = new FunctionService("emulator", ("Functions:RequestsPerSecond", "2"));
        using HttpClient client = service.CreateClient();
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => FunctionService.CallAsync(client, "Add", "[1,2]")));
        Answer[] refused = [.. answers.Where(answer => answer.Status == 429)];
        Assert.That(refused, Is.Not.Empty);
        Assert.That(refused.Select(answer => answer.Problem), Is.All.EqualTo("rate-limit, caller"));
    }

    [Test]
    public async Task A_client_that_leaves_ends_its_guest()
    {
        await using var service = new FunctionService("emulator", ("Functions:CallTimeout", "00:10:00"), ("Functions:CpuTime", "00:10:00"), ("Functions:MaximumSandboxes", "1"));
        using HttpClient client = service.CreateClient();
        using (var left = new CancellationTokenSource(TimeSpan.FromMilliseconds(300)))
        using (var content = new StringContent("""{"arguments":[]}"""))
        {
            Assert.That(
                async () => await client.PostAsync(new Uri("/guests/functions/functions/Spin", UriKind.Relative), content, left.Token),
                Throws.InstanceOf<OperationCanceledException>());
        }

        // The only sandbox is free again, long before the limit of the call.
        long begun = Stopwatch.GetTimestamp();
        Assert.That((await FunctionService.CallAsync(client, "Add", "[1,2]")).Result.GetInt32(), Is.EqualTo(3));
        Assert.That(Stopwatch.GetElapsedTime(begun), Is.LessThan(TimeSpan.FromMinutes(1)));
    }

    [TestCase("Functions:MaximumSandboxes", "0", "Functions:MaximumSandboxes is 0. Set it to a value from 1 to 1000.")]
    [TestCase("Functions:CallTimeout", "-00:00:01", "Functions:CallTimeout is -00:00:01.")]
    [TestCase("Hyperlight:Hypervisor", "nothing", "nothing")]
    [TestCase("Hyperlight:Unknown", "1", "Unknown")]
    public void A_setting_that_is_not_valid_ends_the_start(string key, string value, string message)
    {
        using var service = new FunctionService("emulator", (key, value));
        Assert.That(() => service.CreateClient(), Throws.Exception.With.Message.Contains(message));
    }
}
