using System.Buffers.Binary;
using System.Diagnostics;
using Hyperlight.Programs.Network;

namespace Hyperlight.Programs;

/// <summary>
/// The host function with which the kernel waits when nothing in the program can go on: for a time, for connections and for standard input.
/// </summary>
internal sealed class HostWait(StandardInput input, HostNetwork network)
{
    private const int NanosecondsPerTick = 100;

    /// <summary>Answers the kernel: the events of the standard input, 0 without it, then those of each connection; 32 bits each.</summary>
    /// <param name="nanoseconds">How long to wait at most.</param>
    /// <param name="forInput">Whether to wait for standard input.</param>
    /// <param name="known">The connections, each with the events that the kernel knows: other events end the wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<ReadOnlyMemory<byte>> AnswerAsync(long nanoseconds, bool forInput, byte[] known, CancellationToken cancellationToken)
    {
        if (!forInput && known.Length == 0)
        {
            await SleepAsync(nanoseconds, cancellationToken).ConfigureAwait(false);
            return new byte[sizeof(int)];
        }

        // A kernel has no more connections than it may have.
        long start = Stopwatch.GetTimestamp();
        TimeSpan time = network.CanHave(known) ? TimeOf(nanoseconds) : TimeSpan.Zero;
        while (true)
        {
            Task changed = network.Changes.Next();
            SocketEvents inputEvents = forInput ? input.Look() : SocketEvents.None;
            byte[] events = network.EventsOf(known, out bool differ);
            TimeSpan left = time - Stopwatch.GetElapsedTime(start);
            if (inputEvents != SocketEvents.None || differ || left <= TimeSpan.Zero)
            {
                return Answer(inputEvents, events);
            }

            await changed.WaitAsync(TimerFor(left), cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static TimeSpan TimeOf(long nanoseconds) =>
        TimeSpan.FromTicks(Math.Min(nanoseconds / NanosecondsPerTick, ProgramLimits.LongestTime.Ticks));

    /// <summary>Timers count whole milliseconds, and can be early: who waits looks at the time afterwards, and waits again for what is left.</summary>
    private static TimeSpan TimerFor(TimeSpan left) => TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds));

    private static async Task SleepAsync(long nanoseconds, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan time = TimeOf(nanoseconds);
        for (TimeSpan left = time; left > TimeSpan.Zero; left = time - Stopwatch.GetElapsedTime(start))
        {
            await Task.Delay(TimerFor(left), cancellationToken).ConfigureAwait(false);
        }
    }

    private static byte[] Answer(SocketEvents inputEvents, byte[] events)
    {
        var answer = new byte[sizeof(int) + events.Length];
        BinaryPrimitives.WriteInt32LittleEndian(answer, (int)inputEvents);
        events.CopyTo(answer, sizeof(int));
        return answer;
    }
}
