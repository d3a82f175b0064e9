using System.Text;
using System.Text.Json;
using Hyperlight.Programs;
using Hyperlight.Programs.Tools;

namespace Hyperlight.Tests.Programs;

/// <summary>What the kernel of a program sends to tools is not trusted.</summary>
[TestFixture]
internal sealed class ToolCallsTests
{
    private const int PartSize = KernelMachine.MostBytes - 1;

    private static readonly ProgramTool Echo = ProgramTool.Create("echo", static arguments => arguments);

    [Test]
    public async Task The_kernel_finds_out_whether_there_are_tools([Values] bool areThere)
    {
        ToolCalls calls = Create(areThere ? [Echo] : []);

        Assert.That((await Answer(calls, ToolCalls.Step.Query)).ToArray(), Is.EqualTo(new[] { areThere ? (byte)1 : (byte)0 }));
    }

    [Test]
    public async Task A_request_and_its_answer_are_in_parts()
    {
        ToolCalls calls = Create(Echo);
        string text = new('x', 3 * PartSize);

        await Answer(calls, ToolCalls.Step.Request, "{\"name\":\"echo\",\"arg");
        string answer = await Receive(calls, $"uments\":\"{text}\"}}");

        Assert.That(answer, Is.EqualTo($"{{\"result\":\"{text}\"}}"));
        Assert.That(await Receive(calls, """{"name":"echo"}"""), Is.EqualTo("""{"result":{}}"""), "nothing is left of the last one");
        Assert.That(calls.Problem, Is.Null);
    }

    [TestCase((int)ToolCalls.Step.Answer)]
    [TestCase(4)]
    [TestCase(-1)]
    [TestCase(int.MaxValue)]
    public async Task A_step_that_is_not_one_is_a_problem(int step)
    {
        ToolCalls calls = Create(Echo);

        Assert.That((await calls.AnswerAsync(step, [], default)).Length, Is.Zero);
        Assert.That(calls.Problem, Is.EqualTo($"it takes the step {step} of a call of a tool where there is none"));
    }

    [Test]
    public async Task A_request_that_the_kernel_should_have_refused_is_a_problem()
    {
        ToolCalls calls = Create(Echo);
        await calls.AnswerAsync((int)ToolCalls.Step.Request, new byte[ProgramTool.MaximumBytes], default);

        Assert.That((await calls.AnswerAsync((int)ToolCalls.Step.RequestEnd, new byte[1], default)).Length, Is.Zero);
        Assert.That(calls.Problem, Is.EqualTo("it sends a request for a tool that is too large"));
    }

    [TestCase("{\"name\":\"echo\",\"name\":\"echo\"}", ToolError.InvalidRequest)]
    [TestCase("{\"name\":\"\\ud800\"}", ToolError.InvalidRequest)]
    [TestCase("{\"name\":\"echo\"} {}", ToolError.InvalidRequest)]
    [TestCase("", ToolError.InvalidRequest)]
    [TestCase("null", ToolError.InvalidRequest)]
    [TestCase("{\"name\":\"\"}", ToolError.UnknownTool)]
    [TestCase("{\"name\":\"Echo\"}", ToolError.UnknownTool)]
    [TestCase("{\"name\":\"text\",\"arguments\":\"\\ud800\"}", ToolError.InvalidArguments)]
    [TestCase("{\"name\":\"text\",\"arguments\":[]}", ToolError.InvalidArguments)]
    [TestCase("{\"name\":\"text\"}", ToolError.InvalidArguments)]
    public async Task A_request_that_is_wrong_has_an_answer(string request, string code)
    {
        ToolCalls calls = Create(Echo, TextTool());

        Assert.That(CodeOf(await Receive(calls, request)), Is.EqualTo(code));
        Assert.That(calls.Problem, Is.Null);
    }

    [Test]
    public async Task Bytes_that_are_not_utf8_and_deep_nesting_have_an_answer()
    {
        ToolCalls calls = Create(Echo);
        byte[] invalid = [.. "{\"name\":\"echo\",\"arguments\":\""u8, 0xC0, 0x80, .. "\"}"u8];

        Assert.That(CodeOf(await Receive(calls, invalid)), Is.EqualTo(ToolError.InvalidRequest));
        Assert.That(CodeOf(await Receive(calls, new string('[', 500_000))), Is.EqualTo(ToolError.InvalidRequest));
    }

    [Test]
    public async Task A_failure_of_a_tool_is_for_the_log_and_its_text_is_not_for_the_guest()
    {
        ToolCalls calls = Create(ProgramTool.Create("fail", static _ => throw new IOException("secret")));

        InvalidOperationException error = (await Assert.ThrowsAsync<InvalidOperationException>(async () => await Receive(calls, """{"name":"fail"}""")))!;

        Assert.That(error.Message, Is.EqualTo("The tool 'fail' has failed."));
        Assert.That(error.InnerException, Is.TypeOf<IOException>());
    }

    [Test]
    public async Task A_result_that_has_lines_is_one_line()
    {
        ToolCalls calls = Create(ProgramTool.Create("lines", static _ => JsonElement.Parse("{\n \"a\": [\n1,\n2]}")));

        Assert.That(await Receive(calls, """{"name":"lines"}"""), Does.Not.Contain("\n"));
    }

    [Test]
    public async Task Random_requests_have_an_answer()
    {
        const int Count = 3000;
        int seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        ToolCalls calls = Create(Echo, TextTool());
        byte[] valid = """{"name":"echo","arguments":{"a":[1,2.5e3,"\u00e4",null,true],"b":{}}}"""u8.ToArray();
        for (int i = 0; i < Count; i++)
        {
            byte[] request = [.. valid];
            for (int change = random.Next(1, 6); change > 0; change--)
            {
                request[random.Next(request.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : "{}[]\",:\\e0x"u8[random.Next(11)];
            }

            string answer = await Receive(calls, request.AsSpan(0, random.Next(3) == 0 ? random.Next(request.Length) : request.Length).ToArray());
            JsonElement root = JsonElement.Parse(answer);
            Assert.That(root.TryGetProperty("result", out _) || ToolError.All.Contains(CodeOf(answer)), Is.True, answer);
        }

        Assert.That(calls.Problem, Is.Null);
    }

    [TestCase("")]
    [TestCase(" ")]
    public void A_tool_has_a_name(string name) =>
        Assert.That(() => ProgramTool.Create(name, static arguments => arguments), Throws.ArgumentException);

    private static ProgramTool TextTool() =>
        ProgramTool.Create("text", ToolCallsJson.Default.String, ToolCallsJson.Default.Int32, static text => text.Length);

    private static ToolCalls Create(params ProgramTool[] tools) => new(tools, []);

    private static ValueTask<ReadOnlyMemory<byte>> Answer(ToolCalls calls, ToolCalls.Step step, string text = "") =>
        calls.AnswerAsync((int)step, Encoding.UTF8.GetBytes(text), default);

    private static Task<string> Receive(ToolCalls calls, string request) => Receive(calls, Encoding.UTF8.GetBytes(request));

    private static async Task<string> Receive(ToolCalls calls, byte[] request)
    {
        var answer = new List<byte>();
        ReadOnlyMemory<byte> part = await calls.AnswerAsync((int)ToolCalls.Step.RequestEnd, request, default);
        answer.AddRange(part[1..].Span);
        while (part.Span[0] != 0)
        {
            Assert.That(part.Length, Is.EqualTo(PartSize + 1));
            part = await Answer(calls, ToolCalls.Step.Answer);
            answer.AddRange(part[1..].Span);
        }

        return Encoding.UTF8.GetString([.. answer]);
    }

    private static string CodeOf(string answer) => JsonElement.Parse(answer).GetProperty("error").GetProperty("code").GetString()!;
}
