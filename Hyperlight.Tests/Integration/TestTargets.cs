using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Mshv;

namespace Hyperlight.Tests.Integration;

/// <summary>Finds out on which drivers, and with which builds of the test guest, the suite can run on this machine.</summary>
internal static class TestTargets
{
    public const string GeneralGuest = "testguest.elf";
    public const string SseGuest = "testguest-sse.elf";

    /// <summary>A driver whose hypervisor is a simulation: it runs with one build of the guest, as the emulator executes it.</summary>
    private const string Simulated = "simulated";

    /// <summary>Set to 1, the whole suite runs on simulated hypervisors too; otherwise <see cref="DriverCoverageTests"/> alone does.</summary>
    public const string SimulatedVariable = "HYPERLIGHT_TEST_SIMULATED";

    private static readonly Lazy<IReadOnlyList<(string Name, TestTarget? Target, string Reason)>> LazyAll = new(() => [.. Find()]);

    /// <summary>Every combination, with the reason why it runs or does not.</summary>
    public static IReadOnlyList<(string Name, TestTarget? Target, string Reason)> All => LazyAll.Value;

    /// <summary>The combinations that run: the source of the integration fixtures.</summary>
    public static IEnumerable<TestFixtureData> Runnable =>
        All.Where(t => t.Target is not null && RunsWholeSuite(t.Target)).Select(t => new TestFixtureData(t.Target).SetArgDisplayNames(t.Name));

    /// <summary>The drivers that are usable, each once.</summary>
    public static IEnumerable<TestFixtureData> RunnableDrivers => All
        .Where(t => t.Target is { GuestFile: GeneralGuest } && RunsWholeSuite(t.Target))
        .Select(t => new TestFixtureData(t.Target).SetArgDisplayNames(t.Target!.Driver));

    /// <summary>Whether the suite runs on a target, or only a first call.</summary>
    public static bool RunsWholeSuite(TestTarget target) =>
        target.Variant != Simulated || Environment.GetEnvironmentVariable(SimulatedVariable) == "1";

    private static IEnumerable<(string Name, TestTarget? Target, string Reason)> Find()
    {
        foreach ((IHypervisor hypervisor, string variant) in Drivers())
        {
            HypervisorStatus status = hypervisor.Probe();
            foreach (string guest in variant == Simulated ? [GeneralGuest] : new[] { GeneralGuest, SseGuest })
            {
                var target = new TestTarget(hypervisor, guest, variant);
                string name = target.ToString();
                if (!status.IsUsable)
                {
                    yield return (name, null, status.ToString());
                }
                else if (guest == SseGuest && WhyNoSse(target) is { } reason)
                {
                    yield return (name, null, reason);
                }
                else
                {
                    yield return (name, target, status.Reason);
                }
            }
        }
    }

    /// <summary>The drivers of this machine; the emulator in both its tiers, the second one so that it translates almost everything.</summary>
    private static IEnumerable<(IHypervisor Hypervisor, string Variant)> Drivers()
    {
        foreach (IHypervisor hypervisor in HypervisorSelector.Default.Hypervisors)
        {
            if (hypervisor is EmulatorHypervisor)
            {
                yield return (new EmulatorHypervisor(new EmulatorOptions { TranslateHotCode = false }), "interpreter");
                yield return (new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2 }), "translator");
            }
            else
            {
                yield return (hypervisor, "");
            }
        }

        if (LinuxKernel.Instance.UnsupportedPlatform is null)
        {
            yield return (new MshvHypervisor(new SimulatedMshv(LinuxKernel.Instance)), Simulated);
        }
    }

    /// <summary>Some nested KVMs execute privileged guest code by emulation and know no SSE instruction.</summary>
    private static string? WhyNoSse(TestTarget target)
    {
        try
        {
            using MultiUseSandbox sandbox = target.Builder().Build();
            _ = sandbox.Call<double>("SseAdd", 1.0, 2.0);
            return null;
        }
        catch (HyperlightException exception) when (Cause(exception) is UnexpectedVmExitException)
        {
            return Cause(exception).Message;
        }
    }

    private static Exception Cause(Exception exception) =>
        exception is GuestInitializationException { InnerException: { } inner } ? inner : exception;
}
