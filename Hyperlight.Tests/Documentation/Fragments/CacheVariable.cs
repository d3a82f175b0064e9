namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The images of a test are not those of the user.</summary>
internal sealed class CacheVariable : IDisposable
{
    private const string Name = "XDG_CACHE_HOME";

    private readonly string? _previous = Environment.GetEnvironmentVariable(Name);

    public CacheVariable() => Environment.SetEnvironmentVariable(Name, Path.GetFullPath("cache"));

    public void Dispose() => Environment.SetEnvironmentVariable(Name, _previous);
}
