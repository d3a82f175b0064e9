using System.Text.RegularExpressions;
using Hyperlight.Tests.Integration.Programs;

namespace Hyperlight.Tests.Documentation;

/// <summary>The kernel executes no system call that is not compared with Linux: a program that runs natively too makes each of them.</summary>
[TestFixture]
internal sealed partial class ComparedCallTests
{
    private readonly ProgramSources _programs = new();

    private readonly Dictionary<int, (string Name, string Note)> _implemented =
        Implemented().Matches(File.ReadAllText(Path.Combine(Repository.Root, "guests", "linux", "system_calls.def")))
            .ToDictionary(match => int.Parse(match.Groups[1].Value), match => (match.Groups[2].Value, match.Groups[3].Value));

    /// <summary>The commands whose output, exit status and errors the tests compare with those of a native run.</summary>
    private static IReadOnlyList<string> Compared { get; } =
    [
        .. NativeComparisonTests.SameEverywhere.Concat(FileComparisonTests.Commands).Concat(SystemCallComparisonTests.Commands)
            .Concat(NetworkTests.SameAsOnLinux).Select(static command => command.Split(' ')[0]),
    ];

    [Test]
    public void A_compared_program_makes_each_call()
    {
        HashSet<int> made = [.. Compared.SelectMany(_programs.CallsOf)];

        // Linux has what is ENOSYS here.
        string[] missing = [.. _implemented.Where(call => !made.Contains(call.Key) && !call.Value.Note.StartsWith("ENOSYS", StringComparison.Ordinal))
            .Select(static call => call.Value.Name)];

        Assert.That(_implemented, Has.Count.GreaterThan(200));
        Assert.That(missing, Is.Empty);
    }

    [Test]
    public void The_compared_commands_are_those_of_the_program() => Assert.That(Compared.Except(_programs.Commands), Is.Empty);

    [Test]
    public void Constants_have_the_numbers_of_their_calls()
    {
        IEnumerable<string> wrong = _programs.Constants
            .Where(constant => !_implemented.TryGetValue(constant.Number, out (string Name, string Note) call)
                               || !call.Name.EndsWith(constant.Name["CALL_".Length..], StringComparison.OrdinalIgnoreCase))
            .Select(static constant => $"{constant.Name} {constant.Number}");

        Assert.That(wrong, Is.Empty);
    }

    /// <summary>One command that makes few calls: what the others make is not among them.</summary>
    [Test]
    public void Only_the_calls_of_a_command_are_found()
    {
        string[] names = [.. _programs.CallsOf("hello").Select(number => _implemented[number].Name)];

        Assert.That(names, Is.EqualTo(["write"]));
    }

    [GeneratedRegex(@"^IMPLEMENTED\((\d+), (\w+), ""(.*)""\)$", RegexOptions.Multiline)]
    private static partial Regex Implemented();
}
