using System.Reflection;

namespace Hyperlight.Tests.Exploration;

/// <summary>
/// Threads that use a sandbox at the same time, in every order of their steps: no request to end a call is lost, none ends
/// another call, and what a sandbox holds is released once.
/// </summary>
[TestFixture]
internal sealed class InterleavingTests
{
    private static readonly Lazy<MethodInfo> Explore = new(() =>
        InstrumentedAssemblies.CopyOf(typeof(SandboxScenarios)).GetMethod(nameof(SandboxScenarios.Explore))!);

    [TestCaseSource(typeof(SandboxScenarios), nameof(SandboxScenarios.Names))]
    public void Every_order_is_right(string scenario)
    {
        (string? problem, int executions) = ((string?, int))Explore.Value.Invoke(null, [scenario])!;

        TestContext.Out.WriteLine($"{executions} orders");
        Assert.That(problem, Is.Null);
        Assert.That(executions, Is.GreaterThan(3), "if this is one, nothing was instrumented");
    }

    [Test]
    public void A_lost_request_is_found()
    {
        // The mistake that these tests are about: beginning takes two steps, and the second forgets what came between them.
        using var exploration = new Exploration(new TwoStepScenario());

        Assert.That(exploration.Run(), Does.Contain("lost"));
    }

    [Test]
    public void All_orders_of_two_times_three_dependent_steps_are_tried()
    {
        var scenario = new CountingScenario("a", "a");
        using var exploration = new Exploration(scenario);

        Assert.That(exploration.Run(), Is.Null);
        Assert.That(exploration.Executions, Is.EqualTo(20), "6 over 3");
        Assert.That(scenario.Orders, Has.Count.EqualTo(20));
    }

    [Test]
    public void One_order_of_independent_steps_is_tried()
    {
        using var exploration = new Exploration(new CountingScenario("a", "b"));

        Assert.That(exploration.Run(), Is.Null);
        Assert.That(exploration.Executions, Is.EqualTo(1));
    }

    private sealed class TwoStepScenario : IScenario
    {
        private bool _isBusy;
        private bool _isRequested;
        private bool _wasBusyAtRequest;

        public IReadOnlyList<Action> Begin()
        {
            _isBusy = _isRequested = _wasBusyAtRequest = false;
            return [Enter, Request];
        }

        public string? End() => _wasBusyAtRequest && !_isRequested ? "The request was lost." : null;

        private void Enter()
        {
            Explorer.Point("gate", true);
            _isBusy = true;
            Explorer.Point("gate", true);
            _isRequested = false;
        }

        private void Request()
        {
            Explorer.Point("gate", true);
            _wasBusyAtRequest = _isBusy;
            _isRequested = true;
        }
    }

    private sealed class CountingScenario(params string[] variables) : IScenario
    {
        private string _order = "";

        public HashSet<string> Orders { get; } = [];

        public IReadOnlyList<Action> Begin()
        {
            _order = "";
            return [.. variables.Select((variable, index) => (Action)(() => Steps(variable, index)))];
        }

        public string? End()
        {
            Orders.Add(_order);
            return null;
        }

        private void Steps(string variable, int index)
        {
            for (int i = 0; i < 3; i++)
            {
                Explorer.Point(variable, true);
                _order += index;
            }
        }
    }
}
