namespace Hyperlight.Tests.Whp;

/// <summary>
/// Counts the calls to a platform and its Windows that can fail, and fails the n-th. Run a scenario with n = 1, 2, 3, ... until
/// <see cref="FailedCall"/> stays null, and every call of the scenario has failed once.
/// </summary>
/// <param name="failAt">Which call fails, from 1; 0 for none.</param>
internal sealed class FailurePlan(int failAt = 0)
{
    /// <summary>ERROR_GEN_FAILURE and E_FAIL.</summary>
    public const int Win32Error = 31;
    public const int Result = SimulatedResults.Fail;

    private readonly List<string> _names = [];
    private string? _next;

    /// <summary>The name of the call that failed; null if none has yet.</summary>
    public string? FailedCall { get; private set; }

    /// <summary>The calls so far, in order.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>Fails the next call of a name.</summary>
    public void FailNext(string call) => _next = call;

    public bool Fails(string call)
    {
        lock (_names)
        {
            _names.Add(call);
            if (_names.Count != failAt && _next != call)
            {
                return false;
            }

            _next = null;
            FailedCall = call;
            return true;
        }
    }
}
