namespace Hyperlight.Tests.Exploration;

/// <summary>What several threads do at the same time, and what must be true of it.</summary>
internal interface IScenario
{
    /// <summary>Prepares one execution.</summary>
    /// <returns>What each thread does.</returns>
    IReadOnlyList<Action> Begin();

    /// <summary>Looks at what one execution has led to, and cleans up.</summary>
    /// <returns>What is wrong, or <see langword="null"/>.</returns>
    string? End();
}
