namespace Hyperlight.Host.Execution;

/// <summary>A moment at which an operation is told that its time is over. It can be armed again and again, without an allocation.</summary>
/// <param name="expired">Receives the operation's number, on the timer's thread. It must return soon and not throw.</param>
internal sealed class Deadline(Action<ulong> expired)
{
    /// <summary>Where it is in the list of armed deadlines, or -1. The list's own.</summary>
    public int Index { get; set; } = -1;

    /// <summary>When it expires, as a time stamp of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
    public long Due { get; set; }

    /// <summary>The operation's number.</summary>
    public ulong Operation { get; set; }

    public void Expire(ulong operation) => expired(operation);
}
