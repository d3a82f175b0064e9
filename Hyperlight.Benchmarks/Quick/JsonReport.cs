using System.Text.Json;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>For programs: one JSON object a line, and nothing else.</summary>
internal sealed class JsonReport(TextWriter output) : IReport
{
    public void Begin(IReadOnlyList<string> notMeasured)
    {
    }

    public void Add(Measurement measurement)
    {
        output.WriteLine(JsonSerializer.Serialize(measurement, MeasurementJson.Default.Measurement));
        output.Flush();
    }

    public void End()
    {
    }
}
