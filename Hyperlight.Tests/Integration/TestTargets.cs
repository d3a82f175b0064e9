using System.Runtime.CompilerServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Mshv;
using Hyperlight.Tests.Whp;
using Hyperlight.Whp;
using NUnit.Framework.Interfaces;

namespace Hyperlight.Tests.Integration;

/// <summary>Finds out on which drivers, and with which builds of the test guest, the suite can run on this machine.</summary>
internal static class TestTargets
{
    public const string GeneralGuest = "testguest.elf";
    public const string SseGuest = "testguest-sse.elf";

    private static readonly Lazy<IReadOnlyList<(string Name, TestTarget? Target, string Reason)>> LazyAll = new(() => [.. Find()]);

    /// <summary>Every combination, with the reason why it runs or does not.</summary>
    public static IReadOnlyList<(string Name, TestTarget? Target, string Reason)> All => LazyAll.Value;

    /// <summary>The combinations that run: the source of the integration fixtures.</summary>
    public static IEnumerable<TestFixtureData> Runnable =>
        All.Where(static t => t.Target is not null).Select(t => new TestFixtureData(t.Target).SetArgDisplayNames(t.Name));

    /// <summary>The drivers that are usable, each once.</summary>
    public static IEnumerable<TestFixtureData> RunnableDrivers => All
        .Where(static t => t.Target is { GuestFile: GeneralGuest })
        .Select(t => new TestFixtureData(t.Target).SetArgDisplayNames(t.Target!.Driver));

    /// <summary>The combination that a test is for; <see langword="null"/> if it is not one of the suite.</summary>
    public static TestTarget? Of(ITest test)
    {
        for (ITest? suite = test; suite is not null; suite = suite.Parent)
        {
            if (suite.Arguments.OfType<TestTarget>().FirstOrDefault() is { } target)
            {
                return target;
            }
        }

        return null;
    }

    private static IEnumerable<(string Name, TestTarget? Target, string Reason)> Find()
    {
        foreach ((IHypervisor hypervisor, string variant) in Drivers())
        {
            HypervisorStatus status = hypervisor.Probe();
            foreach (string guest in variant == TestTarget.Simulated ? [GeneralGuest] : new[] { GeneralGuest, SseGuest })
            {
                var target = new TestTarget(hypervisor, guest, variant);
                string name = target.ToString();
                if (!status.IsUsable)
                {
                    yield return (name, null, status.ToString());
                }
                else if (variant == TestTarget.Translator && !RuntimeFeature.IsDynamicCodeCompiled)
                {
                    yield return (name, null, "this build does not generate code at run time");
                }
                else if (variant == TestTarget.MachineCode && EmittingCompiler.WhyUnusable is { } why)
                {
                    yield return (name, null, why);
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

    /// <summary>The drivers of this machine; the emulator in each of its tiers, the later ones so that they translate almost everything.</summary>
    private static IEnumerable<(IHypervisor Hypervisor, string Variant)> Drivers()
    {
        foreach (IHypervisor hypervisor in HypervisorSelector.Default.Hypervisors)
        {
            if (hypervisor is EmulatorHypervisor)
            {
                yield return (new EmulatorHypervisor(new EmulatorOptions { TranslateHotCode = false }), "interpreter");
                yield return (
                    new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2, Tier = CodeTier.Intermediate }),
                    TestTarget.Translator);
                yield return (
                    new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2, Tier = CodeTier.Machine }),
                    TestTarget.MachineCode);
            }
            else
            {
                yield return (hypervisor, "");
            }
        }

        foreach (IHypervisor hypervisor in SimulatedDrivers())
        {
            yield return (hypervisor, TestTarget.Simulated);
        }
    }

    /// <summary>
    /// The drivers on simulated hypervisors, which this machine does not have to have. They run with one build of the guest, as
    /// the emulator executes it.
    /// </summary>
    private static IEnumerable<IHypervisor> SimulatedDrivers()
    {
        if (LinuxKernel.Instance.UnsupportedPlatform is null)
        {
            yield return new MshvHypervisor(new SimulatedMshv(LinuxKernel.Instance) { KeepsJournal = false });

            var windows = new SimulatedWindows();
            yield return new WhpHypervisor(
                new SimulatedWinHv(windows),
                windows,
                new WhpOptions(static _ => null),
                Path.Combine(AppContext.BaseDirectory, "surrogates"));
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
