using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;

namespace Hyperlight.Samples.AspNetFunctions.Tests;

/// <summary>The service in this process, on one driver, with limits that the tests do not reach by accident.</summary>
internal sealed class FunctionService : WebApplicationFactory<Program>
{
    private readonly Dictionary<string, string> _settings;

    public FunctionService(string driver, params (string Key, string Value)[] settings)
    {
        _settings = new Dictionary<string, string>
        {
            ["Hyperlight:Hypervisor"] = driver,
            ["Functions:RequestsPerSecond"] = "100000",
            ["Functions:CallTimeout"] = "00:05:00",
            ["Functions:CpuTime"] = "00:05:00",
            ["Functions:WaitTimeout"] = "00:05:00",
            ["Logging:LogLevel:Default"] = "Warning",
        };
        foreach ((string key, string value) in settings)
        {
            _settings[key] = value;
        }
    }

    /// <summary>Calls a function of the guest that comes with the service.</summary>
    public static Task<Answer> CallAsync(HttpClient client, string function, string arguments = "[]", string guest = "functions") =>
        PostAsync(client, $"/guests/{guest}/functions/{function}", $$"""{"arguments":{{arguments}}}""");

    /// <summary>How many calls of the guest that comes with the service have got a sandbox so far.</summary>
    public static async Task<long> CountRentsAsync(HttpClient client)
    {
        JsonElement guest = await client.GetFromJsonAsync<JsonElement>("/guests/functions");
        return guest.GetProperty("pool").GetProperty("rents").GetInt64();
    }

    /// <summary>Waits until so many calls have got a sandbox.</summary>
    public static async Task WaitForRentsAsync(HttpClient client, long count)
    {
        long begun = Stopwatch.GetTimestamp();
        while (await CountRentsAsync(client) < count)
        {
            Assert.That(Stopwatch.GetElapsedTime(begun), Is.LessThan(TimeSpan.FromMinutes(1)), "The calls do not begin.");
            await Task.Delay(10);
        }
    }

    public static async Task<Answer> PostAsync(HttpClient client, string address, string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await client.PostAsync(new Uri(address, UriKind.Relative), content);
        return new Answer(
            (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        foreach ((string key, string value) in _settings)
        {
            builder.UseSetting(key, value);
        }
    }
}

/// <summary>An answer of the service.</summary>
internal sealed record Answer(int Status, string? MediaType, JsonElement Json)
{
    /// <summary>The result of a call.</summary>
    public JsonElement Result => Json.GetProperty("result");

    /// <summary>The kind of a problem, and whose fault it is.</summary>
    public string Problem => $"{Json.GetProperty("title").GetString()}, {Json.GetProperty("fault").GetString()}";

    public string Detail => Json.GetProperty("detail").GetString()!;
}
