using System.Diagnostics;
using System.Globalization;

namespace Hyperlight.Samples.AspNetFunctions.Http;

/// <summary>
/// The work of the guest's function <c>CountPrimes</c> without a sandbox, to compare with: in this process, without isolation,
/// and in a child process for each request. Mapped only if <c>Functions:Comparison</c> is set.
/// </summary>
internal static class ComparisonEndpoints
{
    /// <summary>The first argument of the child process.</summary>
    public const string ChildCommand = "count-primes";

    private const int Largest = 1_000_000;

    public static void MapComparison(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/comparison/plain/{limit:int:range(0,1000000)}", static (int limit) => CountPrimes(limit));
        routes.MapGet("/comparison/process/{limit:int:range(0,1000000)}", CountInProcessAsync);
    }

    /// <summary>What the child process does.</summary>
    public static void RunChild(string limit) =>
        Console.WriteLine(CountPrimes(Math.Clamp(int.Parse(limit, CultureInfo.InvariantCulture), 0, Largest)));

    private static async Task<int> CountInProcessAsync(int limit, CancellationToken cancellationToken)
    {
        string[] command = [ChildCommand, limit.ToString(CultureInfo.InvariantCulture)];
        bool isHost = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";
        string[] arguments = isHost ? [Path.Combine(AppContext.BaseDirectory, "AspNetFunctions.dll"), .. command] : command;
        using Process process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true })!;
        string output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return int.Parse(output, CultureInfo.InvariantCulture);
    }

    private static int CountPrimes(int limit)
    {
        bool[] composite = new bool[limit + 1];
        int count = 0;
        for (int number = 2; number <= limit; number++)
        {
            if (composite[number])
            {
                continue;
            }

            count++;
            for (long multiple = (long)number * number; multiple <= limit; multiple += number)
            {
                composite[multiple] = true;
            }
        }

        return count;
    }
}
