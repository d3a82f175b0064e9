using Hyperlight.Benchmarks.Machines;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>
/// The floor of <see cref="CreateCallDispose"/>: a machine, a slot and a vCPU are created and closed; nothing runs.
/// </summary>
internal sealed class BareCreate : Scenario
{
    private readonly BareKvm _kvm = BareKvm.Open();

    public override void Run() => BareMachine.Create(_kvm).Close();

    public override void Dispose() => _kvm.Dispose();
}
