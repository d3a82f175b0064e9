using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Hyperlight.Samples.AspNetFunctions.Tests;

/// <summary>The service behind its real server: events, shutdown, metrics.</summary>
internal sealed class ServerTests
{
    private FunctionService _service;
    private HttpClient _client;

    [SetUp]
    public void Start()
    {
        _service = new FunctionService("emulator", ("Logging:LogLevel:Hyperlight.Guest", "Information"));
        _service.UseKestrel(0);
        _client = _service.CreateClient();
    }

    [TearDown]
    public async Task StopAsync()
    {
        _client.Dispose();
        await _service.DisposeAsync();
    }

    [Test]
    public async Task Calls_and_guest_logs_are_sent_as_they_come()
    {
        using HttpResponseMessage response = await _client.GetAsync(new Uri("/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        Task<Answer> call = FunctionService.CallAsync(_client, "Log", "[\"a record\",1]");
        List<JsonElement> events = [];
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var parser = SseParser.Create(await response.Content.ReadAsStreamAsync(), static (_, data) => JsonElement.Parse(data));
        await foreach (SseItem<JsonElement> item in parser.EnumerateAsync(limit.Token))
        {
            events.Add(item.Data);
            if (events.Count == 3)
            {
                break;
            }
        }

        Assert.That((await call).Status, Is.EqualTo(200));
        Assert.That(events[0].GetProperty("kind").GetString(), Is.EqualTo("open"));
        Assert.That(events[1].GetProperty("kind").GetString(), Is.EqualTo("log"));
        Assert.That(events[1].GetProperty("guest").GetString(), Is.EqualTo("functions"));
        Assert.That(events[1].GetProperty("text").GetString(), Does.StartWith("a record"));
        Assert.That(events[2].GetProperty("kind").GetString(), Is.EqualTo("call"));
        Assert.That(events[2].GetProperty("text").GetString(), Is.EqualTo("Log: ok"));
        Assert.That(events[2].GetProperty("milliseconds").GetDouble(), Is.GreaterThan(0));
    }

    [Test]
    public async Task The_health_is_that_of_the_driver()
    {
        using HttpResponseMessage response = await _client.GetAsync(new Uri("/health", UriKind.Relative));

        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("Healthy"));
    }

    [Test]
    public async Task The_service_stops_under_load_without_losing_a_call()
    {
        // The factory ends the requests of its own clients when it is disposed.
        using var client = new HttpClient { BaseAddress = _client.BaseAddress };
        long before = await FunctionService.CountRentsAsync(client);
        Task<Answer>[] calls = [.. Enumerable.Range(0, 16).Select(_ => FunctionService.CallAsync(client, "Wait", "[500]"))];
        using HttpResponseMessage events = await client.GetAsync(new Uri("/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        await FunctionService.WaitForRentsAsync(client, before + 16);
        await _service.DisposeAsync();
        Assert.That((await Task.WhenAll(calls)).Select(answer => answer.Status), Is.All.EqualTo(200));
    }

    [Test]
    public async Task The_status_says_which_driver_is_used_and_why()
    {
        var status = JsonElement.Parse(await _client.GetStringAsync(new Uri("/status", UriKind.Relative)));
        Assert.That(status.GetProperty("driver").GetString(), Is.EqualTo("emulator"));
        Assert.That(status.GetProperty("reason").GetString(), Is.Not.Empty);
        Assert.That(
            status.GetProperty("drivers").EnumerateArray().Select(driver => driver.GetProperty("name").GetString()), Does.Contain("emulator"));
    }
}
