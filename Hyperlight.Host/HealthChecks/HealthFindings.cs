using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Hyperlight.Host.HealthChecks;

/// <summary>What a check has found. The worst finding is the result.</summary>
/// <param name="failureStatus">What is reported instead of <see cref="HealthStatus.Unhealthy"/>.</param>
internal sealed class HealthFindings(HealthStatus failureStatus)
{
    private readonly List<string> _problems = [];
    private HealthStatus _status = HealthStatus.Healthy;
    private Exception? _exception;

    /// <summary>The data of the result.</summary>
    public Dictionary<string, object> Data { get; } = [];

    /// <summary>The application cannot serve requests.</summary>
    public void Unhealthy(string problem, Exception? exception = null)
    {
        Add(failureStatus, problem);
        _exception ??= exception;
    }

    /// <summary>The application cannot serve all requests.</summary>
    public void Degraded(string problem) => Add(HealthStatus.Degraded, problem);

    /// <summary>The result.</summary>
    public HealthCheckResult ToResult() =>
        new(_status, _problems.Count == 0 ? null : string.Join(" ", _problems), _exception, Data);

    private void Add(HealthStatus status, string problem)
    {
        _problems.Add(problem);

        // The worst status has the smallest value.
        _status = (HealthStatus)Math.Min((int)_status, (int)status);
    }
}
