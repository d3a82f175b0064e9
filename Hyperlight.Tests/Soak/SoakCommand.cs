using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Soak;

/// <summary>The soak as a program.</summary>
internal static class SoakCommand
{
    private const int Success = 0;
    private const int Failure = 1;
    private const int WrongUsage = 2;

    public static int Run(ReadOnlySpan<string> arguments)
    {
        if (SoakOptions.Parse(arguments, out string problem) is not { } options)
        {
            Console.Error.WriteLine(problem);
            Console.Error.WriteLine(SoakOptions.Usage);
            return WrongUsage;
        }

        try
        {
            IHypervisor hypervisor = SoakDrivers.Open(options.Driver);
            new SoakRun(options, hypervisor, Console.Out).Run();
            Console.WriteLine("passed");
            return Success;
        }
        catch (Exception exception) when (exception is SoakFailure or HypervisorNotAvailableException or ArgumentException)
        {
            Console.Error.WriteLine($"FAILED, seed {options.Seed}: {exception}");
            return Failure;
        }
    }
}
