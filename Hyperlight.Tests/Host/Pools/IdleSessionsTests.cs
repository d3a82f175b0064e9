using Hyperlight.Host.Pools;

namespace Hyperlight.Tests.Host.Pools;

/// <summary>The queues of a pool that keeps state per key, compared with a search through all callers.</summary>
[TestFixture]
internal sealed class IdleSessionsTests
{
    [Test]
    public void Finds_the_caller_that_came_first([Range(1, 20)] int seed)
    {
        var random = new Random(seed);
        var sessions = new IdleSessions();
        LinkedList<RentWaiter> waiters = [];
        var rented = new Dictionary<string, PooledSandbox>();
        long number = 0;
        for (int i = 0; i < 2_000; i++)
        {
            string key = $"key {random.Next(5)}";
            switch (random.Next(4))
            {
                case 0:
                    var waiter = new RentWaiter(null!, key, null, 0) { Number = ++number };
                    waiter.Node = waiters.AddLast(waiter);
                    sessions.Enqueued(waiter);
                    break;
                case 1 when waiters.Count > 0:
                    RentWaiter leaving = waiters.ElementAt(random.Next(waiters.Count));
                    waiters.Remove(leaving.Node!);
                    sessions.Dequeued(leaving);
                    break;
                case 2 when !rented.ContainsKey(key):
                    var sandbox = new PooledSandbox(null!, null!, null!, null!) { State = PooledSandboxState.Rented };
                    sessions.Assign(sandbox, key);
                    rented.Add(key, sandbox);
                    break;
                case 3 when rented.Remove(key, out PooledSandbox? returned):
                    sessions.Forget(returned);
                    break;
            }

            RentWaiter[] without = [.. waiters.Where(w => !rented.ContainsKey(w.Key!))];
            Assert.That(sessions.CountWanted(waiters), Is.EqualTo(without.DistinctBy(w => w.Key).Count()));
            Assert.That(sessions.FirstWaiterFor(null, waiters), Is.SameAs(without.FirstOrDefault()));
            Assert.That(sessions.FirstWaiterFor(key, waiters), Is.SameAs(waiters.FirstOrDefault(w => w.Key == key)));
        }
    }
}
