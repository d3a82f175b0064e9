using System.Globalization;
using System.Text.RegularExpressions;

namespace Hyperlight.Tests.Documentation;

/// <summary>
/// The sources of the programs without a C library (guests/programs), read as far as it takes to find out which system calls a command
/// makes: those whose constants stand in a function, or in a table, that is used on the way from the command.
/// </summary>
internal sealed partial class ProgramSources
{
    private readonly ILookup<string, Definition> _definitions;
    private readonly Dictionary<string, List<(string File, string Text)>> _commands = [];
    private readonly HashSet<(string Name, int Number)> _constants = [];
    private readonly ILookup<string, int> _numbers;

    public ProgramSources()
    {
        IEnumerable<string> files = Directory.EnumerateFiles(Path.Combine(Repository.Root, "guests", "programs"))
            .Where(static file => Path.GetExtension(file) is ".c" or ".h");
        var definitions = new List<Definition>();
        foreach (string path in files.Order(StringComparer.Ordinal))
        {
            string text = CommentOrLiteral().Replace(File.ReadAllText(path).ReplaceLineEndings("\n"), static match => match.Value[0] == '/' ? "" : match.Value);
            foreach (Match constant in Constant().Matches(text))
            {
                _constants.Add((constant.Groups["name"].Value, Number(constant)));
            }

            definitions.AddRange(Definitions(Path.GetFileName(path), text));
        }

        _definitions = definitions.ToLookup(static definition => definition.Name);
        _numbers = _constants.ToLookup(static constant => constant.Name, static constant => constant.Number);
        definitions.ForEach(FindCommands);
    }

    /// <summary>The names of the commands.</summary>
    public IReadOnlyCollection<string> Commands => _commands.Keys;

    /// <summary>The constants of system calls, and their numbers.</summary>
    public IReadOnlySet<(string Name, int Number)> Constants => _constants;

    /// <summary>The numbers of the system calls that a command makes.</summary>
    public IReadOnlySet<int> CallsOf(string command)
    {
        var numbers = new HashSet<int>();
        var seen = new HashSet<Definition>();
        var rest = new Queue<(string File, string Text)>(_commands[command]);
        while (rest.TryDequeue(out (string File, string Text) part))
        {
            numbers.UnionWith(CallsIn(part.Text));
            foreach (Definition used in NamesIn(part.Text).Select(name => Find(part.File, name)).OfType<Definition>().Where(seen.Add))
            {
                rest.Enqueue((used.File, used.Text));
            }
        }

        return numbers;
    }

    private IEnumerable<int> CallsIn(string text) =>
        NamesIn(text).SelectMany(name => _numbers[name]).Concat(Instruction().Matches(text).Select(Number));

    /// <summary>The names in a text that are not in its strings.</summary>
    private static IEnumerable<string> NamesIn(string text) => Identifier().Matches(Literal().Replace(text, "")).Select(static match => match.Value);

    /// <summary>What a name means in a file: its own definition, or that of another one.</summary>
    private Definition? Find(string file, string name) =>
        _definitions[name].FirstOrDefault(definition => definition.File == file) ??
        _definitions[name].FirstOrDefault(static definition => !definition.IsOfFile || definition.File.EndsWith(".h", StringComparison.Ordinal));

    /// <summary>Commands are compared with a name, or stand in a table with their functions.</summary>
    private void FindCommands(Definition definition)
    {
        foreach (Match comparison in Comparison().Matches(definition.Text))
        {
            AddCommand(definition, comparison, Use(definition.Text, comparison.Index + comparison.Length));
        }

        foreach (Match row in Row().Matches(definition.Text))
        {
            AddCommand(definition, row, row.Groups["function"].Value);
        }
    }

    private void AddCommand(Definition definition, Match match, string use)
    {
        string name = match.Groups["command"].Value;
        _commands.TryAdd(name, []);
        _commands[name].Add((definition.File, use));
    }

    /// <summary>What follows if the names are equal: up to a colon, or the next block.</summary>
    private static string Use(string text, int start)
    {
        if (text.AsSpan(start).StartsWith(" ?"))
        {
            return text[start..text.IndexOf(':', start)];
        }

        int depth = 0;
        for (int i = text.IndexOf('{', start); i >= 0 && i < text.Length; i++)
        {
            depth += text[i] switch { '{' => 1, '}' => -1, _ => 0 };
            if (depth == 0)
            {
                return text[start..i];
            }
        }

        return text[start..];
    }

    /// <summary>Functions, tables and assembly code: what begins at the start of a line and ends with a brace or a semicolon there.</summary>
    private static IEnumerable<Definition> Definitions(string file, string text)
    {
        var lines = new List<string>();
        foreach (string line in text.Split('\n'))
        {
            if (lines.Count == 0 && !Beginning().IsMatch(line))
            {
                continue;
            }

            lines.Add(line);
            bool hasBlock = lines.Exists(static l => l.Contains('{', StringComparison.Ordinal));
            bool isEnd = hasBlock ? line.Contains('}', StringComparison.Ordinal) && (line[0] == '}' || lines.Count == 1) && !line.EndsWith('{')
                                  : line.EndsWith(';');
            if (isEnd)
            {
                string definition = string.Join('\n', lines);
                Match name = Name().Match(definition);
                if (name.Success && (hasBlock || definition.StartsWith("__asm__", StringComparison.Ordinal)))
                {
                    yield return new Definition(file, name.Groups["name"].Value, definition, definition.StartsWith("static", StringComparison.Ordinal));
                }

                lines.Clear();
            }
        }
    }

    private static int Number(Match match) => int.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?<name>CALL_\w+)(?: =)? (?<number>\d+)")]
    private static partial Regex Constant();

    [GeneratedRegex("""
        //.*|"(?:[^"\\\n]|\\.)*"
        """)]
    private static partial Regex CommentOrLiteral();

    [GeneratedRegex("""
        "(?:[^"\\\n]|\\.)*"
        """)]
    private static partial Regex Literal();

    [GeneratedRegex(@"[A-Za-z_]\w*")]
    private static partial Regex Identifier();

    [GeneratedRegex("""mov \$(?<number>\d+), %+eax(?:\\n)?[";\s]+syscall""")]
    private static partial Regex Instruction();

    [GeneratedRegex("""equal\(name, "(?<command>[\w-]+)"\)""")]
    private static partial Regex Comparison();

    [GeneratedRegex("""\{ "(?<command>[\w-]+)", (?<function>\w+) \}""")]
    private static partial Regex Row();

    [GeneratedRegex(@"^[A-Za-z_]")]
    private static partial Regex Beginning();

    [GeneratedRegex("""\.globl (?<name>\w+)|(?<name>\w+)\((?!\()[^{;"]*\)\s*\{|(?<name>\w+)(?:\[[^\]]*\])* = \{""")]
    private static partial Regex Name();

    /// <param name="File">The name of the file.</param>
    /// <param name="Name">The name of the function or the table.</param>
    /// <param name="Text">All of it.</param>
    /// <param name="IsOfFile">Whether other files do not see it.</param>
    private sealed record Definition(string File, string Name, string Text, bool IsOfFile);
}
