using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Hyperlight.Samples.AspNetFunctions.Tests;

/// <summary>Uploading, listing and removing guests.</summary>
internal sealed class GuestTests
{
    private static readonly byte[] Hello = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "hello.elf"));

    private FunctionService _service;
    private HttpClient _client;

    [SetUp]
    public void Start()
    {
        _service = new FunctionService("emulator", ("Functions:MaximumGuests", "3"));
        _client = _service.CreateClient();
    }

    [TearDown]
    public async Task StopAsync()
    {
        _client.Dispose();
        await _service.DisposeAsync();
    }

    [Test]
    public async Task The_functions_of_a_guest_are_listed_with_their_types()
    {
        JsonElement answer = await _client.GetFromJsonAsync<JsonElement>("/guests/functions/functions");
        Assert.That(answer.GetProperty("areListed").GetBoolean(), Is.True);
        Assert.That(
            answer.GetProperty("functions").EnumerateArray().Select(function => function.GetProperty("signature").GetString()),
            Does.Contain("int Add(int left, int right)").And.Contain("void Crash()").And.Contain("bytes Reverse(bytes data)"));
    }

    [Test]
    public async Task A_guest_is_uploaded_called_and_removed()
    {
        using HttpResponseMessage created = await PutAsync("hello", Hello);
        Assert.That(created.StatusCode, Is.EqualTo(HttpStatusCode.Created));
        Answer answer = await FunctionService.PostAsync(
            _client, "/guests/hello/functions/Add", """{"arguments":[40,2],"signature":"int Add(int left, int right)"}""");
        Assert.That(answer.Result.GetInt32(), Is.EqualTo(42));

        using HttpResponseMessage deleted = await _client.DeleteAsync(new Uri("/guests/hello", UriKind.Relative));
        Assert.That(deleted.StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        using HttpResponseMessage missing = await _client.GetAsync(new Uri("/guests/hello", UriKind.Relative));
        Assert.That(missing.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [TestCase(null, "add 'signature'")]
    [TestCase("int Sub(int a, int b)", "The signature is that of 'Sub'")]
    [TestCase("int Add", "is no signature")]
    [TestCase("int Add(integer a, int b)", "'integer' is no type")]
    [TestCase("int Add(void a)", "type void")]
    [TestCase("Add()", "is not a type and a name")]
    public async Task A_guest_that_lists_no_functions_needs_a_signature(string? signature, string detail)
    {
        (await PutAsync("hello", Hello)).Dispose();
        string body = signature is null ? """{"arguments":[1,2]}""" : $$"""{"arguments":[1,2],"signature":"{{signature}}"}""";
        Answer answer = await FunctionService.PostAsync(_client, "/guests/hello/functions/Add", body);
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((400, "arguments, caller")));
        Assert.That(answer.Detail, Does.Contain(detail));
    }

    [TestCase("Nothing", "string Nothing()", 404, "function-not-found, caller")]
    [TestCase("Add", "int Add(int a)", 400, "arguments, caller")]
    [TestCase("Add", "int Add(string a, int b)", 400, "arguments, caller")]
    [TestCase("SayHello", "string SayHello(string name)", 422, "guest-error, guest")]
    public async Task What_the_guest_refuses_is_told_from_what_fails_in_it(string function, string signature, int status, string problem)
    {
        (await PutAsync("hello", Hello)).Dispose();
        string arguments = signature.Contains("string", StringComparison.Ordinal) && !signature.Contains("()", StringComparison.Ordinal)
            ? signature.Contains(',', StringComparison.Ordinal) ? "[\"a\",1]" : "[\"a\"]"
            : signature.Contains("()", StringComparison.Ordinal) ? "[]" : "[1]";
        Answer answer = await FunctionService.PostAsync(
            _client, $"/guests/hello/functions/{function}", $$"""{"arguments":{{arguments}},"signature":"{{signature}}"}""");
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((status, problem)));
    }

    [Test]
    public async Task A_file_that_is_no_guest_is_refused()
    {
        using HttpResponseMessage response = await PutAsync("text", "no guest"u8.ToArray());
        JsonElement problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.That((int)response.StatusCode, Is.EqualTo(422));
        Assert.That(problem.GetProperty("title").GetString(), Is.EqualTo("guest-invalid"));
        Assert.That(problem.GetProperty("detail").GetString(), Does.Contain("not an ELF file"));
    }

    [TestCase("Hello")]
    [TestCase("1st")]
    [TestCase("a%2Fb")]
    public async Task A_name_that_is_not_valid_is_refused(string name)
    {
        using HttpResponseMessage response = await PutAsync(name, Hello);
        Assert.That((int)response.StatusCode, Is.EqualTo(400));
    }

    [Test]
    public async Task More_guests_than_the_limit_are_refused()
    {
        (await PutAsync("a", Hello)).Dispose();
        (await PutAsync("b", Hello)).Dispose();
        using HttpResponseMessage response = await PutAsync("c", Hello);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Conflict));
        using HttpResponseMessage replaced = await PutAsync("b", Hello);
        Assert.That(replaced.StatusCode, Is.EqualTo(HttpStatusCode.Created));
    }

    [Test]
    public async Task A_guest_is_replaced_while_calls_are_in_progress()
    {
        byte[] elf = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "functions.elf"));
        long before = await FunctionService.CountRentsAsync(_client);
        Task<Answer>[] calls = [.. Enumerable.Range(0, 8).Select(_ => FunctionService.CallAsync(_client, "Wait", "[300]"))];
        await FunctionService.WaitForRentsAsync(_client, before + 8);
        (await PutAsync("functions", elf)).Dispose();
        Assert.That((await FunctionService.CallAsync(_client, "Add", "[1,2]")).Result.GetInt32(), Is.EqualTo(3));
        Assert.That((await Task.WhenAll(calls)).Select(answer => answer.Status), Is.All.EqualTo(200));
    }

    private async Task<HttpResponseMessage> PutAsync(string name, byte[] elf)
    {
        using var content = new ByteArrayContent(elf);
        return await _client.PutAsync(new Uri($"/guests/{name}", UriKind.Relative), content);
    }
}
