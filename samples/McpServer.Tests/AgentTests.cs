using System.Runtime.CompilerServices;
using System.Text.Json;
using Hyperlight.Extensions.AI;
using Hyperlight.Programs;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;

namespace Hyperlight.Samples.McpServer.Tests;

/// <summary>The function with the Agent Framework, and with the client of Microsoft.Extensions.AI. The model is scripted.</summary>
[TestFixture]
internal sealed class AgentTests
{
    [Test]
    public async Task An_agent_executes_code()
    {
        await using ProgramRunner runner = await Programs.CreateAsync("echo");
        var model = new ScriptedModel();
        AIAgent agent = new ChatClientAgent(model, instructions: "Use code.", tools: [runner.AsCodeExecutionFunction()]);

        AgentResponse response = await agent.RunAsync("What does it print?");

        Assert.That(response.Text, Is.EqualTo("It prints: print(1)bytes 8\n"));
        Assert.That(model.Offered.Single(), Is.EqualTo("execute_code"));
    }

    [Test]
    public async Task A_function_that_needs_approval_is_not_executed_without_it()
    {
        await using ProgramRunner runner = await Programs.CreateAsync("echo");
        using IChatClient client = new ChatClientBuilder(new ScriptedModel()).UseFunctionInvocation().Build();
        var function = new ApprovalRequiredAIFunction(runner.AsCodeExecutionFunction());

        ChatResponse response = await client.GetResponseAsync("What does it print?", new ChatOptions { Tools = [function] });

        Assert.That(response.Messages.SelectMany(static message => message.Contents).OfType<FunctionResultContent>(), Is.Empty);
        Assert.That(response.Messages[^1].Contents.Select(static content => content.GetType().Name), Has.Some.Contains("Approval"));
    }

    /// <summary>Calls the function, and then repeats what it has printed.</summary>
    private sealed class ScriptedModel : IChatClient
    {
        public string[] Offered { get; private set; } = [];

        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            Offered = [.. options?.Tools?.Select(static tool => tool.Name) ?? []];
            FunctionResultContent? result = messages.SelectMany(static message => message.Contents).OfType<FunctionResultContent>().LastOrDefault();
            AIContent content = result is null
                ? new FunctionCallContent("1", "execute_code", new Dictionary<string, object?> { ["code"] = "print(1)" })
                : new TextContent($"It prints: {((JsonElement)result.Result!).GetProperty("output").GetString()}");
            return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, [content])));
        }

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (ChatResponseUpdate update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
            {
                yield return update;
            }
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
