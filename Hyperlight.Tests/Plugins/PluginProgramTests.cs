using System.IO.Pipelines;
using System.Text;
using Hyperlight.Plugins;
using Hyperlight.Samples.Plugin;

namespace Hyperlight.Tests.Plugins;

/// <summary>The side of the plugin: it answers each request by a line.</summary>
[TestFixture]
internal sealed class PluginProgramTests
{
    [TestCase("""{"id":1,"method":"ReverseAsync","arguments":["ab"]}""", """{"id":1,"result":"ba"}""")]
    [TestCase("""{"arguments":[{"Title":"t","Lines":["a b a"]},1],"method":"CountAsync","id":7}""", """{"id":7,"result":{"Title":"t","Total":3,"Words":{"a":2}}}""")]
    [TestCase("""{"id":2,"method":"RememberAsync","arguments":[null]}""", """{"id":2}""")]
    [TestCase("""{"id":3,"method":"RecallAsync","arguments":[]}""", """{"id":3,"result":null}""")]
    [TestCase("""{"id":4,"method":"None","arguments":[]}""", """{"id":4,"error":{"type":"System.MissingMethodException","message":"The plugin has no method \u0027None\u0027."}}""")]
    [TestCase("""{"id":5,"method":"RecallAsync","arguments":[1,2,3]}""", """{"id":5,"result":null}""")]
    public async Task Requests_are_answered(string request, string answer) => Assert.That(await AnswersAsync(request + "\n"), Is.EqualTo(answer + "\n"));

    [TestCase("""{"id":1,"method":"ReverseAsync","arguments":[]}""", "System.IndexOutOfRangeException")]
    [TestCase("""{"id":1,"method":"ReverseAsync","arguments":{}}""", "System.InvalidOperationException")]
    [TestCase("""{"id":1,"method":"ReverseAsync","arguments":[5]}""", "System.Text.Json.JsonException")]
    [TestCase("""{"id":1,"method":"MisbehaveAsync","arguments":[0]}""", "System.InvalidOperationException")]
    public async Task Failures_are_answers(string request, string type) => Assert.That(await AnswersAsync(request + "\n"), Does.Contain($"\"type\":\"{type}\""));

    [Test]
    public async Task Requests_are_executed_in_their_order_in_whatever_parts_they_come()
    {
        string requests = string.Concat(Enumerable.Range(1, 50).Select(i => $"{{\"id\":{i},\"method\":\"ReverseAsync\",\"arguments\":[\"{new string('x', i * 300)}y\"]}}\n"));
        string answers = string.Concat(Enumerable.Range(1, 50).Select(i => $"{{\"id\":{i},\"result\":\"y{new string('x', i * 300)}\"}}\n"));

        Assert.That(await AnswersAsync(requests), Is.EqualTo(answers));
        Assert.That(await AnswersAsync(requests, partSize: 777), Is.EqualTo(answers));
    }

    [Test]
    public async Task What_is_not_a_whole_line_is_not_executed() =>
        Assert.That(await AnswersAsync("""{"id":1,"method":"ReverseAsync","arguments":["ab"]}"""), Is.Empty);

    [Test]
    public async Task A_line_that_is_too_long_is_refused()
    {
        using var input = new MemoryStream(new byte[100_000]);
        var transport = new StreamTransport(input, Stream.Null, mostBytes: 10_000);

        await Assert.ThatAsync(async () => await transport.ReadAsync(CancellationToken.None), Throws.TypeOf<InvalidDataException>());
        Assert.That(input.Position, Is.LessThan(50_000));
    }

    private static async Task<string> AnswersAsync(string requests, int partSize = int.MaxValue)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        byte[] bytes = Encoding.UTF8.GetBytes(requests);
        for (int start = 0; start < bytes.Length; start += partSize)
        {
            int size = Math.Min(partSize, bytes.Length - start);
            await pipe.Writer.WriteAsync(bytes.AsMemory(start, size));
            if (partSize == int.MaxValue)
            {
                break;
            }
        }

        await pipe.Writer.CompleteAsync();
        using var output = new MemoryStream();
        await PluginProgram.RunAsync(TextPluginContract.Instance.CreateDispatcher(new SimplePlugin()), new StreamTransport(pipe.Reader.AsStream(), output, int.MaxValue));
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private sealed class SimplePlugin : ITextPlugin
    {
        private string? _note;

        public Task<string> ReverseAsync(string text) => Task.FromResult(string.Concat(text.Reverse()));

        public ValueTask<WordCounts> CountAsync(TextDocument document, int most, CancellationToken cancellationToken)
        {
            string[] words = [.. document.Lines.SelectMany(static line => line.Split(' '))];
            return new(new WordCounts(document.Title, words.Length, words.CountBy(static word => word).OrderByDescending(static pair => pair.Value).Take(most).ToDictionary()));
        }

        public Task RememberAsync(string? note)
        {
            _note = note;
            return Task.CompletedTask;
        }

        public Task<string?> RecallAsync() => Task.FromResult(_note);

        public Task<string> MisbehaveAsync(Misbehaviour kind) => throw new InvalidOperationException(kind.ToString());
    }
}
