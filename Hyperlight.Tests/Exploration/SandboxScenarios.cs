namespace Hyperlight.Tests.Exploration;

/// <summary>Every pair of transitions of a sandbox's state that can meet.</summary>
/// <remarks>Runs in the copy of this assembly that uses the instrumented libraries.</remarks>
internal static class SandboxScenarios
{
    private static readonly Dictionary<string, Func<IScenario>> All = new()
    {
        ["a call and a dispose"] = static () => new SandboxScenario(
            static s => [s.Call, s.Dispose], static s => AlwaysEnds(s, CancellationReason.Disposal)),
        ["a call with a token and a dispose"] = static () => new SandboxScenario(
            static s => [s.CallWithToken, s.Dispose], static s => AlwaysEnds(s, CancellationReason.Disposal)),
        ["a call and a cancelled token"] = static () => new SandboxScenario(
            static s => [s.CallWithToken, s.CancelToken], static s => AlwaysEnds(s, CancellationReason.CancellationToken)),
        ["a call and its time limit"] = static () => new SandboxScenario(
            static s => [s.CallWithLimit, s.ExpireLimits], AtMostOneEnds),
        ["two calls and the time limit of the first"] = static () => new SandboxScenario(
            static s => [() => { s.AnswersAtOnce = true; s.CallWithLimit(); s.Call(); }, s.ExpireLimits],
            static s => OnlyFirstEnds(s, CancellationReason.Timeout)),
        ["two calls and the token of the first"] = static () => new SandboxScenario(
            static s => [() => { s.AnswersAtOnce = true; s.CallWithToken(); s.Call(); }, s.CancelToken],
            static s => OnlyFirstEnds(s, CancellationReason.CancellationToken)),
        ["a call and the handle"] = static () => new SandboxScenario(static s => [s.Call, s.CancelByHandle], AtMostOneEnds),
        ["two calls and the handle"] = static () => new SandboxScenario(
            static s => [() => { s.Call(); s.Call(); }, s.CancelByHandle], AtMostOneEnds),
        ["a host function and a dispose"] = static () => new SandboxScenario(
            static s => [s.CallWithHostFunction, s.Dispose], static s => AlwaysEnds(s, CancellationReason.Disposal)),
        ["an operation without the guest and a dispose"] = static () => new SandboxScenario(
            static s => [s.ReadMappings, s.Dispose], static _ => null),
        ["two calls at once"] = static () => new SandboxScenario(
            static s => [() => { s.AnswersAtOnce = true; s.Call(); }, () => { s.AnswersAtOnce = true; s.Call(); }], OneIsAnswered),
    };

    /// <summary>The names of all of them.</summary>
    public static IReadOnlyCollection<string> Names => All.Keys;

    /// <summary>Explores one.</summary>
    /// <returns>What is wrong, or <see langword="null"/>; and how many orders there were.</returns>
    public static (string? Problem, int Executions) Explore(string name)
    {
        using var exploration = new Exploration(All[name]());
        string? problem = exploration.Run();
        return (problem, exploration.Executions);
    }

    /// <summary>Each call ends early, or is refused because the sandbox was disposed before.</summary>
    private static string? AlwaysEnds(SandboxScenario scenario, CancellationReason reason) =>
        scenario.IsLeftWaiting ? "A guest or host function was left running."
        : scenario.Calls.Find(c => c is not (ObjectDisposedException or ExecutionCanceledException)) is { } other ? other.ToString()
        : scenario.Calls.Contains(null) ? "A call was answered."
        : scenario.Calls.OfType<ExecutionCanceledException>().Any(e => e.Reason != reason) ? "A call has the wrong reason."
        : null;

    /// <summary>A request ends one call or none: one if it found the guest running.</summary>
    private static string? AtMostOneEnds(SandboxScenario scenario)
    {
        int ended = scenario.Calls.Count(c => c is ExecutionCanceledException);
        return ended > 1 ? "Two calls were ended by one request."
            : scenario.ExpiredLimits > 0 && scenario.IsLeftWaiting ? "The time limit ended, and the guest was left running."
            : scenario.HandleResult == true && ended == 0 ? "The request found the guest running, and no call ended."
            : scenario.Calls.Find(c => c is not (null or ExecutionCanceledException or SandboxPoisonedException))?.ToString();
    }

    private static string? OnlyFirstEnds(SandboxScenario scenario, CancellationReason reason) =>
        scenario.Calls[0] is ExecutionCanceledException first && first.Reason != reason ? "The first call has the wrong reason."
        : scenario.Calls[1] is ExecutionCanceledException ? "The second call was ended by what was meant for the first."
        : scenario.Calls[0] is null && scenario.Calls[1] is not null ? scenario.Calls[1]!.ToString()
        : null;

    private static string? OneIsAnswered(SandboxScenario scenario) =>
        !scenario.Calls.Contains(null) ? "No call was answered."
        : scenario.Calls.Find(c => c is not (null or SandboxInUseException))?.ToString();
}
