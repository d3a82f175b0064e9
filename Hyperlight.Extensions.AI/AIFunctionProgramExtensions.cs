using System.Text.Json;
using System.Text.Json.Nodes;
using Hyperlight.Programs;
using Microsoft.Extensions.AI;

namespace Hyperlight.Extensions.AI;

/// <summary>Functions for language models as tools of programs.</summary>
public static class AIFunctionProgramExtensions
{
    /// <summary>Makes a tool of a function. It has the name of the function.</summary>
    /// <param name="function">
    /// The function. It is called with the arguments of a program, which is not trusted: an object of JSON. Its result is written with its <see
    /// cref="AIFunction.JsonSerializerOptions"/>.
    /// </param>
    /// <param name="services">The services for the function; <see langword="null"/> for none.</param>
    public static ProgramTool AsProgramTool(this AIFunction function, IServiceProvider? services = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        return ProgramTool.Create(function.Name, async (arguments, token) =>
        {
            if (arguments.ValueKind != JsonValueKind.Object)
            {
                throw new ProgramToolException("The arguments must be an object.");
            }

            var named = new AIFunctionArguments { Services = services };
            foreach (JsonProperty argument in arguments.EnumerateObject())
            {
                named[argument.Name] = argument.Value;
            }

            return ToJson(await function.InvokeAsync(named, token).ConfigureAwait(false), function);
        });
    }

    private static JsonElement ToJson(object? result, AIFunction function) => result switch
    {
        JsonElement element => element,
        JsonNode node => JsonElement.Parse(node.ToJsonString()),
        null => JsonElement.Parse("null"),
        _ => JsonSerializer.SerializeToElement(result, function.JsonSerializerOptions.GetTypeInfo(result.GetType())),
    };
}
