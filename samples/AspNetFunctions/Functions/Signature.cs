namespace Hyperlight.Samples.AspNetFunctions.Functions;

/// <summary>The signature of a guest function, such as <c>int Add(int left, int right)</c>.</summary>
internal sealed record Signature(string Name, string Result, IReadOnlyList<Parameter> Parameters)
{
    /// <summary>The largest number of parameters of the guest ABI.</summary>
    private const int MostParameters = 11;

    private const int LongestText = 1000;

    /// <exception cref="FormatException">The text is no signature; the message says why.</exception>
    public static Signature Parse(string text)
    {
        if (text.Length > LongestText)
        {
            throw new FormatException($"A signature has at most {LongestText} characters, and this one has {text.Length}.");
        }

        int open = text.IndexOf('(', StringComparison.Ordinal);
        if (open < 0 || !text.EndsWith(')'))
        {
            throw new FormatException($"'{text}' is no signature. Write it as 'int Add(int left, int right)'.");
        }

        (string result, string name) = ParsePair(text[..open], text);
        string list = text[(open + 1)..^1];
        Parameter[] parameters = string.IsNullOrWhiteSpace(list) ? [] : [.. list.Split(',').Select(part => ParseParameter(part, text))];
        return parameters.Length <= MostParameters
            ? new Signature(name, result, parameters)
            : throw new FormatException($"'{name}' has {parameters.Length} parameters. A guest function has at most {MostParameters}.");
    }

    public override string ToString() =>
        $"{Result} {Name}({string.Join(", ", Parameters.Select(static parameter => $"{parameter.Type} {parameter.Name}"))})";

    private static Parameter ParseParameter(string part, string text)
    {
        (string type, string name) = ParsePair(part, text);
        return type == "void"
            ? throw new FormatException($"In '{text}', the parameter '{name}' has the type void, which only a result can have.")
            : new Parameter(type, name);
    }

    private static (string Type, string Name) ParsePair(string part, string text)
    {
        string[] words = part.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != 2)
        {
            throw new FormatException($"In '{text}', '{part.Trim()}' is not a type and a name, such as 'int left'.");
        }

        return TypeNames.TryParse(words[0], out _)
            ? (words[0], words[1])
            : throw new FormatException($"In '{text}', '{words[0]}' is no type. The types are {TypeNames.All}.");
    }
}
