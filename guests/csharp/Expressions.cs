using System.Text.RegularExpressions;

namespace Hyperlight.Guests.CSharp;

/// <summary>Regular expressions: interpreted, generated, and with a limit of their time.</summary>
internal static partial class Expressions
{
    public static int Run()
    {
        const string text = "2024-02-29 alpha=1; beta=22; gamma=333; mail a.b@example.org, c@d.net";
        Console.WriteLine(string.Join(' ', Pairs().Matches(text).Select(m => $"{m.Groups["key"].Value}:{m.Groups["value"].Value}")));
        Console.WriteLine(Regex.Replace(text, @"(\d+)-(\d+)-(\d+)", "$3.$2.$1"));
        Console.WriteLine(string.Join(' ', Regex.Matches(text, @"[\w.]+@[\w.]+", RegexOptions.NonBacktracking).Select(m => m.Value)));
        try
        {
            Console.WriteLine(Regex.IsMatch(new string('a', 40) + "!", "^(a+)+$", RegexOptions.None, TimeSpan.FromMilliseconds(50)));
        }
        catch (RegexMatchTimeoutException)
        {
            Console.WriteLine("timed out");
        }

        return 0;
    }

    [GeneratedRegex(@"(?<key>\w+)=(?<value>\d+)")]
    private static partial Regex Pairs();
}
