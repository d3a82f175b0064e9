using Hyperlight.Tests.Host.Snapshots.Files;

namespace Hyperlight.Tests;

/// <summary>What tests run in processes of their own, because it is going to be killed.</summary>
internal static class Program
{
    public static int Main(string[] arguments)
    {
        if (arguments is [SavingProcess.Command, var source, var target, var fresh])
        {
            SavingProcess.SaveUntilKilled(source, target, fresh);
        }

        Console.Error.WriteLine("Run 'dotnet test' instead.");
        return 1;
    }
}
