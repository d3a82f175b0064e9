using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Hyperlight.Samples.AspNetFunctions.Live;

/// <summary>Distributes events to the pages that are open. A page that reads slowly misses the oldest ones.</summary>
internal sealed class EventHub
{
    private const int MostReaders = 32;
    private const int Kept = 256;

    private readonly Lock _lock = new();
    private Channel<LiveEvent>[] _readers = [];

    /// <summary>Whether anyone reads; without readers, events need not be made.</summary>
    public bool HasReaders => Volatile.Read(ref _readers).Length != 0;

    public void Publish(LiveEvent value)
    {
        foreach (Channel<LiveEvent> reader in Volatile.Read(ref _readers))
        {
            reader.Writer.TryWrite(value);
        }
    }

    /// <summary>Events until the reader leaves or the service stops, or <see langword="null"/> if there are too many readers.</summary>
    public IAsyncEnumerable<LiveEvent>? TryRead(CancellationToken left, CancellationToken stopping)
    {
        var channel = Channel.CreateBounded<LiveEvent>(new BoundedChannelOptions(Kept) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_lock)
        {
            if (_readers.Length == MostReaders)
            {
                return null;
            }

            _readers = [.. _readers, channel];
        }

        return ReadAsync(channel, left, stopping);
    }

    private async IAsyncEnumerable<LiveEvent> ReadAsync(
        Channel<LiveEvent> channel, CancellationToken left, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(left, stopping, cancellationToken);
        using CancellationTokenRegistration registration = ended.Token.UnsafeRegister(
            static writer => ((ChannelWriter<LiveEvent>)writer!).TryComplete(), channel.Writer);
        try
        {
            // Sends the header of the answer, so that the page knows that it is connected.
            yield return new LiveEvent("open", string.Empty, string.Empty);
            await foreach (LiveEvent value in channel.Reader.ReadAllAsync(CancellationToken.None))
            {
                yield return value;
            }
        }
        finally
        {
            lock (_lock)
            {
                _readers = [.. _readers.Where(reader => reader != channel)];
            }
        }
    }
}
