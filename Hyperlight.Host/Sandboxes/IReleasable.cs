namespace Hyperlight.Host.Sandboxes;

/// <summary>A sandbox whose resources may be released later than it is disposed: when the operation in progress has ended.</summary>
internal interface IReleasable
{
    /// <summary>Does something when the resources of a disposed sandbox are released. If they are, it does it at once.</summary>
    /// <param name="action">One for each sandbox. Must not throw. It may run on the thread that ends an operation, and should return soon.</param>
    void WhenReleased(Action action);
}
