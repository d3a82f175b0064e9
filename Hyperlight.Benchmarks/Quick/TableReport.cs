using System.Globalization;
using System.Runtime.InteropServices;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>For people: a table.</summary>
internal sealed class TableReport(TextWriter output) : IReport
{
    private const string Absent = "-";

    private static readonly Column[] Columns =
    [
        new("benchmark", -21, m => m.Name),
        new("driver", -9, m => m.Driver),
        new("n", 7, m => Text(m.Count)),
        new("p50 us", 11, m => Text(m.P50)),
        new("p99 us", 11, m => Text(m.P99)),
        new("guest us", 11, m => Text(m.GuestTime)),
        new("kernel us", 11, m => Text(m.OtherKernelTime)),
        new("lib us", 9, m => Text(m.LibraryTime)),
        new("ioctls", 8, m => Text(m.Ioctls, "0.##")),
        new("MIPS", 9, m => Text(m.Mips)),
        new("alloc B", 10, m => Text(m.AllocatedBytes)),
        new("floor us", 11, m => Text(m.FloorTime)),
        new("ratio", 8, m => Text(m.RatioToFloor, "0.00")),
    ];

    public void Begin(IReadOnlyList<string> notMeasured)
    {
        output.WriteLine($"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}");
        output.WriteLine($"{Environment.ProcessorCount} processors");
        foreach (string reason in notMeasured)
        {
            output.WriteLine($"not measured: {reason}");
        }

        output.WriteLine();
        WriteRow(c => c.Title, "  floor");
    }

    public void Add(Measurement measurement) => WriteRow(
        c => c.Value(measurement),
        measurement.PrivateBytesPerSandbox is { } bytes
            ? $"  {bytes / 1024} KiB private memory per sandbox; the target is below {MemoryBenchmark.Target / 1024} KiB"
            : $"  {measurement.Floor}");

    public void End() => output.WriteLine($"""

        Medians of the parts of an operation:
          guest us   in the ioctl that runs the guest
          kernel us  in all other calls to the kernel
          lib us     the rest: this library, and the page faults it causes
        MIPS: millions of guest instructions a second
        Floors:
          {Floor.GuestTime.Name}       the guest us of the same operations
          {Floor.BareExit.Name}     KVM_RUN alone on the same guest, in turns with the operation
          {Floor.Uninstrumented.Name}  the same call without the code that looks for listeners, in turns with the operation
          {Floor.BareCreate.Name}  machine, slot and vCPU created and closed without running, likewise
          {Floor.NativeCode}      the guest's machine code, called in this process, likewise
          {Floor.BareRestoreName}     page tables copied and memory cleared, on KVM also the driver's calls to the kernel, likewise
          {Floor.BareCopyName}        as many bytes copied to memory that was used before, likewise
          {Floor.BareMapName}         the file opened and closed, on KVM also mapped and put into a slot, likewise
        """);

    private static string Text(double? value, string format = "0.0") =>
        value?.ToString(format, CultureInfo.InvariantCulture) ?? Absent;

    private static string Text(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? Absent;

    private void WriteRow(Func<Column, string> cell, string end)
    {
        IEnumerable<string> cells =
            Columns.Select(c => c.Width < 0 ? cell(c).PadRight(-c.Width) : cell(c).PadLeft(c.Width));
        output.WriteLine((string.Concat(cells) + end).TrimEnd());
        output.Flush();
    }

    /// <param name="Title">The heading.</param>
    /// <param name="Width">In characters; negative to align to the left.</param>
    /// <param name="Value">What a measurement has in the column.</param>
    private sealed record Column(string Title, int Width, Func<Measurement, string> Value);
}
