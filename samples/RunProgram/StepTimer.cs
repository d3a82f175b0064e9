using System.Diagnostics;

namespace Hyperlight.Samples.RunProgram;

/// <summary>States how long each step has taken, if it is asked to.</summary>
internal sealed class StepTimer(bool isVerbose)
{
    private long _start = Stopwatch.GetTimestamp();

    public void End(string step)
    {
        if (isVerbose)
        {
            Console.Error.WriteLine($"{Stopwatch.GetElapsedTime(_start).TotalMilliseconds,8:F1} ms  {step}");
        }

        _start = Stopwatch.GetTimestamp();
    }
}
