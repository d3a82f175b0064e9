using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Quick;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Goals;

/// <summary>What was measured of a program on a driver. Times are in microseconds.</summary>
/// <param name="Program">The program.</param>
/// <param name="Driver">The driver's name.</param>
/// <param name="FreshProcess">Processor time of the first call in a process.</param>
/// <param name="FreshSandbox">Time of the first call in a sandbox, in a process that has run the program before.</param>
/// <param name="Warm">The shortest time of a call, which other processes disturb least.</param>
/// <param name="Native">The same of the same machine code in this process, measured in turns with the call.</param>
/// <param name="NativeFreshProcess">Processor time of its first call in a process.</param>
internal sealed record ProgramFigures(
    GuestProgram Program, string Driver, double FreshProcess, double FreshSandbox, double Warm, double Native, double NativeFreshProcess)
{
    /// <summary>How many times as long as native code a warm call takes.</summary>
    public double WarmRatio => Warm / Native;

    /// <summary>Measures a program on a driver.</summary>
    public static ProgramFigures Measure(BenchmarkDriver driver, GuestProgram program, TimeSpan time)
    {
        Measurement warm = QuickCatalog.Program(program).Measure(driver, time);
        return new ProgramFigures(
            program,
            driver.Name,
            Goals.FreshProcess.Measure(driver.Name, program),
            FirstCall.MeasureInFreshSandboxes(driver, program),
            warm.Fastest ?? double.NaN,
            warm.FastestFloor ?? double.NaN,
            NativeFunction.IsPossible ? Goals.FreshProcess.Measure(Goals.FreshProcess.Native, program) : double.NaN);
    }
}
