using System.Net;
using Hyperlight.Programs;
using Hyperlight.Programs.Network;

namespace Hyperlight.Tests.Programs;

/// <summary>The limits of lookups of names, which all runs of the process have together.</summary>
internal sealed class NameLookupsTests
{
    /// <summary>More of them than the process may have at a time, of one name, or of one network.</summary>
    [Test]
    public async Task Lookups_that_do_not_end_do_not_keep_others_from_their_turn([Values] bool isOneName)
    {
        var end = new TaskCompletionSource<IPAddress[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        int underWay = 0;
        Task<IPAddress[]> Never(string name, CancellationToken token)
        {
            Interlocked.Increment(ref underWay);
            return end.Task;
        }

        var shared = new ProgramNetwork { Resolve = Never };
        var waiting = new List<Task<IPAddress[]>>();
        try
        {
            for (int i = 0; i < 100; i++)
            {
                ProgramNetwork network = isOneName ? new ProgramNetwork { Resolve = Never } : shared;
                string name = isOneName ? (i % 2 == 0 ? "never.test" : "NEVER.test") : $"never{i}.test";
                waiting.Add(new NameLookups().ResolveAsync(network, name, CancellationToken.None));
            }

            var other = new ProgramNetwork { Resolve = static (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]) };
            IPAddress[] found = await new NameLookups().ResolveAsync(other, "other.test", CancellationToken.None).WaitAsync(TestTime.Patience);

            Assert.That(found, Is.EqualTo(new[] { IPAddress.Loopback }));
            Assert.That(underWay, Is.InRange(0, isOneName ? NameLookups.MostOfName : NameLookups.MostOfNetwork));
        }
        finally
        {
            end.SetResult([]);
        }

        // Each of them has its turn.
        await Task.WhenAll(waiting).WaitAsync(TestTime.Patience);
        Assert.That(underWay, Is.EqualTo(100));
    }

    [Test]
    public async Task A_lookup_that_was_given_up_leaves_its_turn_to_others()
    {
        var end = new TaskCompletionSource<IPAddress[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        var network = new ProgramNetwork { Resolve = (_, _) => end.Task };
        var lookups = new NameLookups();
        using var source = new CancellationTokenSource();
        List<Task<IPAddress[]>> given = [.. Enumerable.Range(0, 20).Select(_ => lookups.ResolveAsync(network, "name.test", source.Token))];

        await source.CancelAsync();
        foreach (Task<IPAddress[]> task in given)
        {
            await Assert.ThatAsync(() => task, Throws.InstanceOf<OperationCanceledException>());
        }

        // Those that have begun go on: another one of the run waits for them.
        Task<IPAddress[]> next = lookups.ResolveAsync(network, "name.test", CancellationToken.None);
        Assert.That(next.IsCompleted, Is.False);
        end.SetResult([IPAddress.Loopback]);
        Assert.That(await next.WaitAsync(TestTime.Patience), Has.Length.EqualTo(1));
    }
}
