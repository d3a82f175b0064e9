using System.Text.Json;

namespace Hyperlight.Samples.AspNetFunctions.Functions;

/// <summary>The body of a call: <c>{"arguments": [1, 2]}</c>, with a signature if the guest does not list the function.</summary>
internal sealed record CallRequest(JsonElement Arguments, Signature? Signature)
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 8 };

    /// <exception cref="BadArgumentsException">The body is not such JSON; the message says why.</exception>
    public static CallRequest Parse(ReadOnlyMemory<byte> body)
    {
        JsonElement? arguments = null;
        Signature? signature = null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(body, Options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new BadArgumentsException("The body must be an object, such as {\"arguments\": [1, 2]}.");
            }

            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                switch (property.Name)
                {
                    case "arguments":
                        arguments = property.Value.Clone();
                        break;
                    case "signature" when property.Value.ValueKind == JsonValueKind.String:
                        signature = Signature.Parse(property.Value.GetString()!);
                        break;
                    default:
                        throw new BadArgumentsException($"'{property.Name}' is unknown or has a wrong type. The body has 'arguments', an array, and optionally 'signature', a text.");
                }
            }
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException)
        {
            throw new BadArgumentsException($"The body is not valid: {exception.Message}", exception);
        }

        return new CallRequest(arguments ?? throw new BadArgumentsException("'arguments' is missing. A function without parameters takes []."), signature);
    }
}
