using System.Runtime.Versioning;
using Hyperlight.Guests.CSharp;

[assembly: SupportedOSPlatform("linux")]

// The first argument names what is executed. What is printed does not depend on time, addresses or the number of processors.
string[] rest = args[1..];
switch (args[0])
{
    case "hello":
        Console.WriteLine("Hello from C#");
        return 0;
    case "input":
        return Environments.Print(rest);
    case "linq":
        return Queries.Run();
    case "text":
        return Texts.Run();
    case "regex":
        return Expressions.Run();
    case "json":
        return Documents.Run();
    case "files":
        return FileSystems.Run();
    case "tasks":
        return await Concurrency.RunAsync();
    case "timers":
        return await Timers.RunAsync();
    case "signals":
        return Signals.Run();
    case "collector":
        return Collector.Run();
    case "exceptions":
        return Exceptions.Run();
    case "unhandled":
        throw new InvalidOperationException("not handled");
    case "null-reference":
        return Exceptions.ReadLength(null);
    case "stack-overflow":
        return Exceptions.Recurse(1);
    case "fail-fast":
        Environment.FailFast("failed fast");
        return 0;
    case "out-of-memory":
        return Collector.UseUp();
    case "child":
        return Processes.Run();
    default:
        Console.Error.WriteLine($"there is no '{args[0]}'");
        return 2;
}
