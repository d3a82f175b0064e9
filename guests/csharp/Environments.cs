namespace Hyperlight.Guests.CSharp;

/// <summary>What a program is given.</summary>
internal static class Environments
{
    public static int Print(string[] arguments)
    {
        Console.WriteLine($"{arguments.Length}: {string.Join('|', arguments)}");
        Console.WriteLine($"NAME is {Environment.GetEnvironmentVariable("NAME")}, HOME is '{Environment.GetEnvironmentVariable("HOME")}'");
        int lines = 0;
        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine($"{++lines}: {line.ToUpperInvariant()}");
        }

        Console.Error.WriteLine($"{lines} lines");
        return arguments.Length + lines;
    }
}
