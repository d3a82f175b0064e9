using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration;

/// <summary>Where lives take place: two files, a guest, and a hypervisor of which one call can fail.</summary>
/// <param name="NewBuilder">Creates the builder of a guest's sandboxes.</param>
/// <param name="FirstFile">A file.</param>
/// <param name="SecondFile">Another one.</param>
internal abstract record LifeScene(Func<IHypervisor, SandboxBuilder> NewBuilder, string FirstFile, string SecondFile)
{
    /// <summary>A new hypervisor.</summary>
    /// <param name="failAt">Which of its calls fails, from 1; 0 for none.</param>
    public abstract LifePlatform NewPlatform(int failAt);
}

/// <summary>A hypervisor of which one call fails, and what it says of its resources.</summary>
internal abstract class LifePlatform
{
    /// <summary>Its driver.</summary>
    public abstract IHypervisor Hypervisor { get; }

    /// <summary>The call that failed, if it was reached.</summary>
    public abstract string? FailedCall { get; }

    /// <summary>The calls so far, in order.</summary>
    public abstract IReadOnlyList<string> Names { get; }

    /// <summary>Memory slots in use.</summary>
    public abstract int Slots { get; }

    /// <summary>Whether nothing may be reported if the call fails, because something else is done then.</summary>
    public abstract bool MayBeReplaced(string call);

    /// <summary>Asserts that everything is released.</summary>
    public abstract void AssertNothingLeft(string what);
}
