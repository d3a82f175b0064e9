namespace Hyperlight.Host.Pools;

/// <summary>A pool of a container that is not one of a template of sandboxes, for the health check.</summary>
/// <param name="Kind">What it is a pool of, as the first word of the keys of the check's data.</param>
/// <param name="Pool">The pool.</param>
internal sealed record RegisteredPool(string Kind, ISandboxPool Pool);
