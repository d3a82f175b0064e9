using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hyperlight.Extensions.AI;
using Hyperlight.Programs;
using Microsoft.Extensions.AI;

namespace Hyperlight.Tests.ExtensionsAI;

/// <summary>The function for language models, with a program that does not run anywhere.</summary>
[TestFixture]
internal sealed class CodeExecutionFunctionTests
{
    private readonly RecordedRunner _runner = new();

    [Test]
    public void A_model_finds_the_name_and_the_schema_of_the_function()
    {
        var tool = new ToolFunction();
        var function = new CodeExecutionFunction(_runner, new CodeExecutionOptions { Name = "run_python", Description = "Runs Python.", Tools = [tool] });

        Assert.That(function.Name, Is.EqualTo("run_python"));
        Assert.That(function.Description, Does.StartWith("Runs Python. Files that the code leaves in /files are in the result.")
            .And.Contain("\n- double: Doubles a number. Arguments: {\"type\":\"object\"}"));
        Assert.That(function.JsonSchema.GetProperty("required")[0].GetString(), Is.EqualTo("code"));
        Assert.That(function.JsonSchema.GetProperty("properties").GetProperty("files").GetProperty("description").GetString(), Is.EqualTo("Files that the code finds in /files."));
        Assert.That(function.ReturnJsonSchema!.Value.GetProperty("type").GetString(), Is.EqualTo("object"));
    }

    [Test]
    public async Task Code_is_the_standard_input_or_a_file([Values] bool isFile)
    {
        var function = new CodeExecutionFunction(_runner, new CodeExecutionOptions { CodePath = isFile ? "/run/code" : null });

        await function.InvokeAsync(new AIFunctionArguments { ["code"] = "print(1)" });

        Assert.That(Text(_runner.Input.StandardInput), Is.EqualTo(isFile ? "" : "print(1)"));
        Assert.That(_runner.Input.Files.Select(static file => (file.Key, Text(file.Value))), Is.EqualTo(isFile ? [("/run/code", "print(1)")] : Array.Empty<(string, string)>()));
        Assert.That(_runner.Input.OutputDirectories, Is.EqualTo(new[] { "/files" }));
    }

    [Test]
    public async Task Arguments_are_json_of_any_kind([Values("element", "node")] string kind)
    {
        const string Files = """[{"path":"a/b.txt","text":"t\u00e4"},{"path":"c","base64":"AAE="}]""";
        var function = new CodeExecutionFunction(_runner);

        await function.InvokeAsync(new AIFunctionArguments
        {
            ["code"] = kind == "node" ? JsonValue.Create("x") : JsonElement.Parse("\"x\""),
            ["files"] = kind == "node" ? JsonNode.Parse(Files) : JsonElement.Parse(Files),
        });

        Assert.That(Text(_runner.Input.StandardInput), Is.EqualTo("x"));
        Assert.That(_runner.Input.Files.Select(static file => (file.Key, Text(file.Value))), Is.EqualTo(new[] { ("/files/a/b.txt", "tä"), ("/files/c", "\0\u0001") }));
    }

    [TestCase("{}", "'code' must be a string.")]
    [TestCase("""{"code":1}""", "'code' must be a string.")]
    [TestCase("""{"code":null}""", "'code' must be a string.")]
    [TestCase("""{"code":"\ud800"}""", "'code' must be a string.")]
    [TestCase("""{"code":"","files":{}}""", "'files' must be an array.")]
    [TestCase("""{"code":"","files":[1]}""", "A file must be an object with 'path', a string.")]
    [TestCase("""{"code":"","files":[{"path":"/etc/passwd","text":""}]}""", "The path of a file must be relative, without '.' and '..'.")]
    [TestCase("""{"code":"","files":[{"path":"a/../b","text":""}]}""", "The path of a file must be relative, without '.' and '..'.")]
    [TestCase("""{"code":"","files":[{"path":"","text":""}]}""", "The path of a file must be relative, without '.' and '..'.")]
    [TestCase("""{"code":"","files":[{"path":"a"}]}""", "A file must have 'text', a string, or 'base64'.")]
    [TestCase("""{"code":"","files":[{"path":"a","base64":"?"}]}""", "A file must have 'text', a string, or 'base64'.")]
    [TestCase("""{"code":"","files":[{"path":"a","text":""},{"path":"a","text":""}]}""", "Two files have the same path.")]
    public async Task Wrong_arguments_are_a_result_for_the_model(string arguments, string message)
    {
        var named = new AIFunctionArguments();
        foreach (JsonProperty argument in JsonElement.Parse(arguments).EnumerateObject())
        {
            named[argument.Name] = argument.Value;
        }

        JsonElement result = await Invoke(new CodeExecutionFunction(_runner), named);

        Assert.That((result.GetProperty("status").GetString(), result.GetProperty("message").GetString()), Is.EqualTo(("invalid_arguments", message)));
        Assert.That(_runner.HasRun, Is.False);
    }

    [Test]
    public async Task Code_is_executed_only_if_it_is_approved([Values] bool isApproved)
    {
        CodeExecutionRequest? asked = null;
        var function = new CodeExecutionFunction(_runner, new CodeExecutionOptions
        {
            Approve = (request, _) =>
            {
                asked = request;
                return ValueTask.FromResult(isApproved);
            },
        });

        JsonElement result = await Invoke(function, new AIFunctionArguments { ["code"] = "x" });

        Assert.That(asked!.Code, Is.EqualTo("x"));
        Assert.That((result.GetProperty("status").GetString(), _runner.HasRun), Is.EqualTo(isApproved ? ("exited", true) : ("not_approved", false)));
    }

    [Test]
    public async Task A_result_has_output_and_files_within_limits()
    {
        _runner.Output = [("one ä"u8.ToArray()[..^1], false), ("bad"u8.ToArray(), true), ([0xA4, (byte)'!'], false)];
        _runner.Files = new() { ["/files/a"] = "text"u8.ToArray(), ["/files/b/c"] = new byte[2], ["/files/d"] = new byte[11], ["/files/e"] = "1234"u8.ToArray() };
        var outputs = new List<string>();
        CodeExecutionResult? seen = null;
        var function = new CodeExecutionFunction(_runner, new CodeExecutionOptions
        {
            MaximumText = 5,
            MaximumFileBytes = 10,
            OnOutput = (output, _) =>
            {
                outputs.Add($"{output.Bytes.Length} {output.IsError}");
                return ValueTask.CompletedTask;
            },
            OnResult = (result, _) =>
            {
                seen = result;
                return ValueTask.CompletedTask;
            },
        });

        JsonElement result = await Invoke(function, new AIFunctionArguments { ["code"] = "x" });

        Assert.That(result.GetRawText(), Is.EqualTo(
            """{"status":"exited","exit_code":3,"output":"one \u00E4","error":"bad","truncated":true,"files":[{"path":"a","size":4,"text":"text"},"""
            + """{"path":"b/c","size":2,"base64":"AAA="},{"path":"d","size":11},{"path":"e","size":4,"text":"1234"}]}"""));
        Assert.That(outputs, Is.EqualTo(new[] { "5 False", "3 True", "2 False" }));
        Assert.That((seen!.Files["d"].Length, seen.IsTruncated, seen.Program.ExitCode), Is.EqualTo((11, true, 3)));
        Assert.That(result.EnumerateObject().Select(static property => property.Name), Is.SubsetOf(
            function.ReturnJsonSchema!.Value.GetProperty("properties").EnumerateObject().Select(static property => property.Name)));
    }

    [Test]
    public async Task A_function_is_a_tool_of_the_program_with_the_services_of_the_call()
    {
        var services = new EmptyServices();
        var tool = new ToolFunction();
        var function = new CodeExecutionFunction(_runner, new CodeExecutionOptions { Tools = [tool] });

        await function.InvokeAsync(new AIFunctionArguments { ["code"] = "x", Services = services });

        Assert.That(_runner.Input.Tools.Select(static given => given.Name), Is.EqualTo(new[] { "double" }));
        Assert.That(await Call(_runner.Input.Tools[0], """{"number":21}"""), Is.EqualTo("42"));
        Assert.That(tool.Services, Is.SameAs(services));
        await Assert.ThatAsync(() => Call(_runner.Input.Tools[0], "[1]"), Throws.TypeOf<ProgramToolException>());
    }

    [TestCase("relative", "/files")]
    [TestCase("/a/../b", "/files")]
    [TestCase(null, "files")]
    [TestCase(null, "/")]
    [TestCase(null, "/files/")]
    public void Paths_of_the_options_are_absolute(string? codePath, string directory) => Assert.That(
        () => new CodeExecutionFunction(_runner, new CodeExecutionOptions { CodePath = codePath, FilesDirectory = directory }),
        Throws.ArgumentException);

    [Test]
    public void Two_tools_of_one_name_are_refused() => Assert.That(
        () => new CodeExecutionFunction(_runner, new CodeExecutionOptions { Tools = [new ToolFunction(), new ToolFunction()] }),
        Throws.ArgumentException);

    [SetUp]
    public void Clear() => _runner.Clear();

    private static async Task<JsonElement> Invoke(CodeExecutionFunction function, AIFunctionArguments arguments) =>
        (JsonElement)(await function.InvokeAsync(arguments))!;

    private static async Task<string> Call(ProgramTool tool, string arguments)
    {
        using var stream = new MemoryStream();
        await using var writer = new Utf8JsonWriter(stream);
        await tool.Invoke(JsonElement.Parse(arguments), writer, default);
        await writer.FlushAsync();
        return Text(stream.ToArray());
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private sealed class EmptyServices : IServiceProvider
    {
        public object? GetService(Type serviceType) => null;
    }

    private sealed class ToolFunction : AIFunction
    {
        public override string Name => "double";

        public override string Description => "Doubles a number.";

        public override JsonElement JsonSchema => JsonElement.Parse("""{"type":"object"}""");

        public IServiceProvider? Services { get; private set; }

        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            Services = arguments.Services;
            return ValueTask.FromResult<object?>(2 * ((JsonElement)arguments["number"]!).GetInt32());
        }
    }
}
