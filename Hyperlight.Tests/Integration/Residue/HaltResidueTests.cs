using System.Text;
using Hyperlight.Tests.Emulator.Differential;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>
/// A call succeeds, with an instruction that is not finished or an event that waits; then a snapshot is taken. Neither the
/// next call in a restored sandbox nor the first one in a new sandbox is another than after a plain OUT.
/// </summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class HaltResidueTests(TestTarget target)
{
    private const int Part = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly StringBuilder _printed = new();
    private ObservedHypervisor _hypervisor = null!;

    [Test]
    public void A_snapshot_after_a_call_has_nothing_of_how_it_ended()
    {
        _hypervisor = new ObservedHypervisor(target.Hypervisor);
        SortedDictionary<string, object>? clean = null;
        List<string> found = [];
        var counts = new SortedDictionary<string, int>();
        foreach ((string name, GuestBinary guest) in HaltEndings.All.Where(static (_, i) => TestSettings.IsLong || i % Part == 0))
        {
            using MultiUseSandbox sandbox = Configure(target.Builder().WithGuest(guest)).Build();
            string kind = Call(sandbox, out _);
            counts[kind] = counts.GetValueOrDefault(kind) + 1;
            if (kind != "returned")
            {
                Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned), name);
                continue;
            }

            using Snapshot snapshot = sandbox.TakeSnapshot();
            sandbox.Restore(snapshot);
            found.AddRange(Look(sandbox, ref clean).Select(line => $"{name}, restored: {line}"));
            using MultiUseSandbox other = Configure(target.Builder().WithSnapshot(snapshot)).Build();
            found.AddRange(Look(other, ref clean).Select(line => $"{name}, new: {line}"));
        }

        TestContext.Out.WriteLine(string.Join(", ", counts.Select(static c => $"{c.Key}: {c.Value}")));
        Assert.That(counts.GetValueOrDefault("returned"), Is.GreaterThan(10));
        Assert.That(found, Is.Empty);
    }

    private IEnumerable<string> Look(MultiUseSandbox sandbox, ref SortedDictionary<string, object>? clean)
    {
        _hypervisor.Machine.Arm();
        string kind = Call(sandbox, out string printed);

        // The guests differ in their code. A snapshot has the stack segment of its guest, and some guests have loaded it: a null selector, whose
        // attributes a processor clears, and a KVM that emulates privileged code does not.
        SortedDictionary<string, object> state = _hypervisor.Machine.StateAtEntry;
        clean ??= state;
        string[] ofTheGuest = EmulatingKvm.Runs(target.Hypervisor) ? ["Memory.000001", "SpecialRegisters.Ss."] : ["Memory.000001"];
        IEnumerable<string> differences = MachineState.Differences(clean, state).Where(line =>
            !Array.Exists(ofTheGuest, prefix => line.StartsWith(prefix, StringComparison.Ordinal)));
        return kind == "returned" && printed == HaltEndings.Printed ? differences : differences.Prepend($"{kind}, printed '{printed}'");
    }

    private string Call(MultiUseSandbox sandbox, out string printed)
    {
        _printed.Clear();
        try
        {
            bool result = sandbox.Call<bool>("Any", [], Patience);
            printed = _printed.ToString();
            return result ? "returned" : "returned something else";
        }
        catch (Exception exception) when (exception is HyperlightException or OperationCanceledException)
        {
            printed = _printed.ToString();
            return exception.GetType().Name;
        }
    }

    private SandboxBuilder Configure(SandboxBuilder builder) => builder
        .WithHypervisor(_hypervisor)
        .WithDebugPrint(character => _printed.Append(character.ToString()))
        .WithConfiguration(new SandboxConfiguration { RandomSeed = 1 });
}
