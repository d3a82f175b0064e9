using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Quick;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Goals;

/// <summary>The figures that the emulator is to reach. Times are the shortest of each benchmark, which other processes disturb least.</summary>
/// <param name="drivers">The drivers.</param>
/// <param name="programs">What was measured of the programs.</param>
/// <param name="time">How long each of the other benchmarks is measured.</param>
internal sealed class GoalFigures(BenchmarkDrivers drivers, IReadOnlyList<ProgramFigures> programs, TimeSpan time)
{
    private const string Emulator = "emulator";
    private const string Interpreter = "interpreter";

    public IEnumerable<Goal> Goals()
    {
        double[] warm = [.. programs.Where(static p => p.Driver == Emulator).Select(static p => p.WarmRatio)];
        yield return new("programs, warm, against native: middle", Goal.Text(warm.Order().ElementAt(warm.Length / 2)), "2.5");
        yield return new("programs, warm, against native: worst", Goal.Text(warm.Max()), "4");

        List<Measurement> interpreted = [];
        foreach (Workload workload in Enum.GetValues<Workload>())
        {
            string name = $"compute-{workload}".ToLowerInvariant();
            yield return new($"loops, warm, against native: {workload}", Goal.Text(RatioOf(Measure(name, Emulator))), "1.5");
            interpreted.Add(Measure(name, Interpreter));
        }

        yield return new("first call in a fresh process, against interpreting: Bytecode", Goal.Text(FirstCallRatio(GuestProgram.Bytecode)), "0.6");
        yield return new(
            "first call in a fresh process, against interpreting: worst", Goal.Text(Enum.GetValues<GuestProgram>().Max(FirstCallRatio)), "1.0");
        yield return new("the same under NativeAOT", Goal.NotMeasured, "as with JIT");
        yield return new(
            "first call in a fresh sandbox, against interpreting: worst", Goal.Text(Enum.GetValues<GuestProgram>().Max(FreshSandboxRatio)), "1.0");
        TranslationFigures? translation = TranslationFigures.Measure();
        yield return new("time to translate a guest instruction", Goal.Text(translation?.MicrosecondsPerInstruction, " us"), "0.2 us");
        yield return new("code memory for a 1 MB guest, fully warm", Goal.Text(translation?.BytesPerByte, " MB"), "8 MB");
        yield return new("warm `Call<int>` of two ints", Goal.Text(Measure("call-add", Emulator).Fastest, " us"), "2 us");
        yield return new(
            "interpreter, millions of instructions a second",
            $"{Goal.Text(interpreted.Min(static m => m.Mips))} to {Goal.Text(interpreted.Max(static m => m.Mips))}",
            "150");
        yield return new("two threads, two sandboxes, against one: calls a second", Scaling(), "1.9");
        yield return new("echo of 1 MiB", Goal.Text(Measure("payload-echo-1MiB", Emulator).Fastest, " us"), "1000 us");
        yield return Timed("restore after a plain call", "restore-0", "2 us");
        yield return Timed("create from ELF", "create-from-elf", "400 us, 30720 B");
        yield return Timed("create from a snapshot", "create-from-snapshot", "6 us, 4096 B");
    }

    private Goal Timed(string measure, string benchmark, string target)
    {
        Measurement measured = Measure(benchmark, Emulator);
        return new Goal(measure, $"{Goal.Text(measured.Fastest, " us")}, {measured.AllocatedBytes} B", target);
    }

    private static double? RatioOf(Measurement measurement) => measurement.Fastest / measurement.FastestFloor;

    private double FirstCallRatio(GuestProgram program) => FirstCallOf(program, Emulator) / FirstCallOf(program, Interpreter);

    private double FreshSandboxRatio(GuestProgram program) =>
        FiguresOf(program, Emulator).FreshSandbox / FiguresOf(program, Interpreter).FreshSandbox;

    private ProgramFigures FiguresOf(GuestProgram program, string driver) =>
        programs.First(p => p.Program == program && p.Driver == driver);

    private double FirstCallOf(GuestProgram program, string driver) =>
        FiguresOf(program, driver).FreshProcess;

    /// <summary>What a second thread adds, and what it adds to native code in the same process.</summary>
    private string Scaling()
    {
        Measurement one = Measure("parallel-1", Emulator);
        Measurement two = Measure("parallel-2", Emulator);
        return $"{Goal.Text(one.Fastest / two.Fastest)} (native code in the same run: {Goal.Text(one.FastestFloor / two.FastestFloor)})";
    }

    private Measurement Measure(string benchmark, string driver) =>
        QuickCatalog.All.First(b => b.Name == benchmark).Measure(drivers[driver], time);
}
