using Hyperlight.Extensions.AI;
using Hyperlight.Programs;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Hyperlight.Samples.McpServer;

/// <summary>A server of the Model Context Protocol with one tool, which executes code with a program.</summary>
internal static class CodeServer
{
    /// <summary>Creates the server. Requests that are cancelled end their code.</summary>
    public static ModelContextProtocol.Server.McpServer Create(
        ITransport transport, IProgramRunner runner, CodeExecutionOptions options, McpServerToolCreateOptions hints)
    {
        McpServerTool tool = McpServerTool.Create(runner.AsCodeExecutionFunction(options), hints);
        return ModelContextProtocol.Server.McpServer.Create(transport, new McpServerOptions
        {
            ServerInfo = new Implementation { Name = "hyperlight", Version = "1.0.0" },
            ToolCollection = [tool],
        });
    }
}
