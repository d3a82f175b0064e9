using Hyperlight.Host.Execution;

namespace Hyperlight.Tests.Host.Execution;

/// <summary>Which deadlines are due, without a thread and without time.</summary>
[TestFixture]
internal sealed class DeadlineListTests
{
    private readonly DeadlineList _list = new();

    [Test]
    public void The_list_agrees_with_a_simple_one_after_random_operations()
    {
        var random = new Random(11);
        Deadline[] deadlines = [.. Enumerable.Range(0, 20).Select(_ => new Deadline(_ => { }))];
        var model = new Dictionary<Deadline, (long Due, ulong Operation)>();
        for (int i = 0; i < 20_000; i++)
        {
            Deadline deadline = deadlines[random.Next(deadlines.Length)];
            switch (random.Next(4))
            {
                case 0 or 1:
                    long due = random.Next(1000);
                    _list.Arm(deadline, due, (ulong)i);
                    model[deadline] = (due, (ulong)i);
                    break;
                case 2:
                    _list.Disarm(deadline);
                    model.Remove(deadline);
                    break;
                default:
                    long now = random.Next(300);
                    var taken = new List<(Deadline, ulong)>();
                    _list.TakeDue(now, taken);
                    Assert.That(taken, Is.EquivalentTo(model.Where(e => e.Value.Due <= now).Select(e => (e.Key, e.Value.Operation))));
                    taken.ForEach(t => model.Remove(t.Item1));
                    break;
            }

            Assert.That(_list.Count, Is.EqualTo(model.Count));
            Assert.That(_list.Earliest(), Is.EqualTo(model.Count == 0 ? long.MaxValue : model.Values.Min(e => e.Due)));
        }
    }
}
