using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Calls of functions of the application by a program.</summary>
internal sealed partial class ToolTests(TestTarget target) : ProgramTest(target)
{
    private const int NoAccess = -13;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly ProgramTool[] Tools =
    [
        ProgramTool.Create("add", ToolJson.Default.Numbers, ToolJson.Default.Int32, static numbers => numbers.A + numbers.B),
        ProgramTool.Create("length", static text => Json(text.GetString()!.Length)),
        ProgramTool.Create("repeat", static count => JsonSerializer.SerializeToElement(new string('y', count.GetInt32()), ToolJson.Default.String)),
        ProgramTool.Create("later", ToolJson.Default.Numbers, ToolJson.Default.Int32, async (numbers, token) =>
        {
            await Task.Delay(20, token);
            return numbers.A - numbers.B;
        }),
        ProgramTool.Create("echo", static arguments => arguments),
        ProgramTool.Create("throw", static _ => throw new InvalidOperationException("secret")),
        ProgramTool.Create("refuse", static _ => throw new ProgramToolException("not \"today\"\n", new IOException("secret"))),
        ProgramTool.Create("cancel", static async (_, _) =>
        {
            await Task.Yield();
            throw new OperationCanceledException("secret");
        }),
    ];

    private ProgramRunner _runner = null!;

    [OneTimeSetUp]
    public void CreateRunner() => _runner = Create(Fixed);

    [Test]
    public async Task A_program_cannot_open_the_device_without_tools() =>
        Assert.That((await Run(_runner, "", "call", "{}")).StandardOutput, Is.EqualTo($"open {NoAccess}\n"));

    [TestCase("""{"name":"add","arguments":{"a":40,"b":2}}""", """{"result":42}""")]
    [TestCase("""{"name":"later","arguments":{"a":40,"b":2}}""", """{"result":38}""")]
    [TestCase("""{"other":[], "arguments" : [1, {"x": null}], "name": "\u0065cho"}""", """{"result":[1,{"x":null}]}""")]
    [TestCase("""{"name":"echo"}""", """{"result":{}}""")]
    [TestCase("""{"name":"throw"}""", """{"error":{"code":"failed","message":"The tool has failed."}}""")]
    [TestCase("""{"name":"cancel"}""", """{"error":{"code":"failed","message":"The tool has failed."}}""")]
    [TestCase("""{"name":"refuse"}""", """{"error":{"code":"failed","message":"not \u0022today\u0022\n"}}""")]
    [TestCase("""{"name":"ADD"}""", """{"error":{"code":"unknown_tool","message":"There is no tool with this name."}}""")]
    [TestCase("""{"name":"add","arguments":{"a":"x"}}""", """{"error":{"code":"invalid_arguments","message":"The arguments do not fit the tool at \u0027$.a\u0027."}}""")]
    [TestCase("""{"name":"add","arguments":null}""", """{"error":{"code":"invalid_arguments","message":"The arguments do not fit the tool at \u0027$\u0027."}}""")]
    [TestCase("""{"name":"add",""", """{"error":{"code":"invalid_request","message":"The request is not valid JSON, is nested too deeply, or has a property twice."}}""")]
    [TestCase("""{"name":1}""", """{"error":{"code":"invalid_request","message":"The request must be an object with the property \u0027name\u0027, a string."}}""")]
    public async Task A_request_has_one_answer(string request, string answer)
    {
        ProgramResult result = await RunWithTools("call", request);

        Assert.That((result.StandardOutput, result.ExitCode), Is.EqualTo((answer + "\n", 0)));
    }

    [Test]
    public async Task Requests_come_in_parts_and_together_on_several_connections()
    {
        const string NoName = """{"error":{"code":"invalid_request","message":"The request must be an object with the property \u0027name\u0027, a string."}}""";
        const string NoJson = """{"error":{"code":"invalid_request","message":"The request is not valid JSON, is nested too deeply, or has a property twice."}}""";
        ProgramResult result = await RunWithTools("call-parts", """{"name":"add","arguments":{"a":1,"b":2}}""");

        Assert.That(result.StandardOutput, Is.EqualTo(
            $$$"""
            nothing to read 0
            poll before 4
            poll after 5
            part 5
            ult":3}
            poll at end 4
            several 12
            {{{NoName}}}
            {{{NoJson}}}
            {{{NoName}}}
            rest 12
            {"error":{"code":"unknown_tool","message":"There is no tool with this name."}}
            other
            {{{NoName}}}
            bad pointer -14
            seek -29
            bad buffer -14
            {{{NoName}}}
            {{{NoName}}}

            """));
    }

    /// <summary>A request of 1 MiB has as many bytes more than its text.</summary>
    [Test]
    public async Task The_size_of_a_request_is_limited([Values(16_384 - 32, ProgramTool.MaximumBytes - 32, ProgramTool.MaximumBytes - 31)] int size)
    {
        ProgramResult result = await RunWithTools("call-large", $"{size}");

        Assert.That(result.StandardOutput, Is.EqualTo(size + 32 <= ProgramTool.MaximumBytes
            ? $$"""
              written 1
              {"result":{{size}}}

              """
            : """
              written 1
              {"error":{"code":"too_large","message":"The request has more than 1048576 bytes."}}

              """));
    }

    [Test]
    public async Task The_size_of_an_answer_is_limited([Values(16_370, 16_371, 16_372, 100_000, ProgramTool.MaximumBytes - 13, ProgramTool.MaximumBytes - 12)] int size)
    {
        ProgramResult result = await RunWithTools("call", $$"""{"name":"repeat","arguments":{{size}}}""");

        Assert.That(result.StandardOutput, Is.EqualTo(size + 13 <= ProgramTool.MaximumBytes
            ? $$"""{"result":"{{new string('y', size)}}"}""" + "\n"
            : """{"error":{"code":"too_large","message":"The answer has more than 1048576 bytes."}}""" + "\n"));
    }

    [Test]
    public async Task Answers_that_are_not_read_count_against_the_memory_limit()
    {
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Memory = 0x40_0000 });

        ProgramResult result = await runner.RunAsync(Input("call-without-end", """{"name":"repeat","arguments":500000}"""));

        Assert.That((result.StandardOutput, result.End), Is.EqualTo(("end -28\n", ProgramEnd.Exited)));
    }

    [Test]
    public async Task Damaged_requests_have_an_answer_each([Range(1, 2)] int seed)
    {
        ProgramResult result = await RunWithTools("call-randomly", $"{seed}");

        Assert.That(result.StandardOutput, Is.EqualTo("many 1\ndifference 0\n"));
    }

    [Test]
    public async Task Tools_of_a_run_replace_those_of_the_template()
    {
        var template = new ProgramTemplate
        {
            Image = ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions),
            Tools = [ProgramTool.Create("one", static _ => Json(1)), ProgramTool.Create("two", static _ => Json(2))],
            Limits = WithTime(new ProgramLimits()),
            CreateBuilder = () => new SandboxBuilder().WithHypervisor(Target.Hypervisor),
        };
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(template);
        ProgramInput input = new() { Arguments = ["call", """{"name":"one"}""", """{"name":"two"}"""] };

        string replaced = (await runner.RunAsync(input with { Tools = [ProgramTool.Create("two", static _ => Json(22))] })).StandardOutput;
        string next = (await runner.RunAsync(input)).StandardOutput;

        Assert.That(
            (replaced, next),
            Is.EqualTo(("{\"result\":1}\n{\"result\":22}\n", "{\"result\":1}\n{\"result\":2}\n")));
    }

    [Test]
    public async Task Two_tools_of_one_name_are_refused() => await Assert.ThatAsync(
        () => _runner.RunAsync(new ProgramInput { Tools = [Tools[0], Tools[0]] }),
        Throws.ArgumentException.With.Message.StartsWith("There are two tools with the name 'add'."));

    [Test]
    public async Task The_end_of_a_run_reaches_its_tool_and_does_not_wait_for_it([Values] bool isTimeLimit)
    {
        var started = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        ProgramTool tool = ProgramTool.Create("wait", async (_, token) =>
        {
            token.Register(ended.SetResult);
            started.SetResult();
            await Task.Delay(Timeout.Infinite, CancellationToken.None);
            return default;
        });
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Time = isTimeLimit ? Enough : TimeSpan.FromMinutes(5) });
        using var source = new CancellationTokenSource();
        Task<ProgramResult> run = runner.RunAsync(
            new ProgramInput { Arguments = ["call", """{"name":"wait"}"""], Tools = [tool] }, source.Token);
        if (isTimeLimit)
        {
            Assert.That((await run).End, Is.EqualTo(ProgramEnd.TimeLimit));
        }
        else
        {
            await started.Task.WaitAsync(Patience);
            await source.CancelAsync();
            await Assert.ThatAsync(() => run, Throws.InstanceOf<OperationCanceledException>());
        }

        await ended.Task.WaitAsync(Patience);
        Assert.That((await Run(_runner, "", "hello")).StandardOutput, Is.EqualTo("hello\n"));
    }

    [Test]
    public async Task A_call_is_part_of_the_trace_with_the_name_of_its_tool()
    {
        // Other tests have activities at the same time.
        var tags = new ConcurrentQueue<object?>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == HyperlightTelemetry.ActivitySourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => tags.Enqueue((activity.GetTagItem("hyperlight.tool"), activity.GetTagItem("hyperlight.outcome"))),
        };
        ActivitySource.AddActivityListener(listener);

        await RunWithTools("call", """{"name":"add","arguments":{"a":1,"b":2}}""", """{"name":"throw"}""");

        Assert.That(tags, Does.Contain(((object)"add", (object)"ok")).And.Contain(((object)"throw", (object)"error")));
    }

    private static JsonElement Json(int number) => JsonSerializer.SerializeToElement(number, ToolJson.Default.Int32);

    private static ProgramInput Input(params string[] arguments) => new() { Arguments = arguments, Tools = Tools };

    private Task<ProgramResult> RunWithTools(params string[] arguments) => _runner.RunAsync(Input(arguments));

    internal sealed record Numbers(int A, int B);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
    [JsonSerializable(typeof(Numbers))]
    [JsonSerializable(typeof(int))]
    [JsonSerializable(typeof(string))]
    private sealed partial class ToolJson : JsonSerializerContext;
}
