namespace Hyperlight.Benchmarks.Quick;

/// <summary>Where the measurements go, each as soon as it is there.</summary>
internal interface IReport
{
    /// <summary>Before the first.</summary>
    /// <param name="notMeasured">The drivers that are left out, with their reasons.</param>
    void Begin(IReadOnlyList<string> notMeasured);

    /// <summary>One measurement.</summary>
    void Add(Measurement measurement);

    /// <summary>After the last.</summary>
    void End();
}
