using System.Runtime.CompilerServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Kvm;
using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Mshv;
using Hyperlight.Tests.Whp;
using Hyperlight.Whp;

namespace Hyperlight.Benchmarks.Kernel;

/// <summary>Finds the drivers that can be measured on this machine.</summary>
internal sealed class BenchmarkDrivers
{
    private BenchmarkDrivers(IReadOnlyList<BenchmarkDriver> usable, IReadOnlyList<string> unusable)
    {
        Usable = usable;
        Unusable = unusable;
    }

    /// <summary>Those that can run a guest.</summary>
    public IReadOnlyList<BenchmarkDriver> Usable { get; }

    /// <summary>The others, each with the reason.</summary>
    public IReadOnlyList<string> Unusable { get; }

    /// <summary>Probes every driver of this operating system.</summary>
    /// <param name="metered">Whether calls to the kernel are counted.</param>
    public static BenchmarkDrivers Find(bool metered)
    {
        List<BenchmarkDriver> usable = [];
        List<string> unusable = [];
        foreach (IHypervisor hypervisor in HypervisorSelector.Default.Hypervisors)
        {
            HypervisorStatus status = hypervisor.Probe();
            if (status.IsUsable)
            {
                usable.Add(metered ? WithMeter(hypervisor) : new BenchmarkDriver(hypervisor, null));
            }
            else
            {
                unusable.Add($"{hypervisor.Name}: {status}");
            }
        }

        usable.Add(new BenchmarkDriver(
            new EmulatorHypervisor(new EmulatorOptions { TranslateHotCode = false }), null, "interpreter"));
        if (RuntimeFeature.IsDynamicCodeCompiled)
        {
            usable.Add(new BenchmarkDriver(
                new EmulatorHypervisor(new EmulatorOptions { Tier = CodeTier.Intermediate }), null, "translator"));
        }

        if (metered && LinuxKernel.Instance.UnsupportedPlatform is null)
        {
            usable.Add(SimulatedMshvDriver());
            usable.Add(SimulatedWhpDriver());
        }

        return new BenchmarkDrivers(usable, unusable);
    }

    /// <summary>The driver of a name.</summary>
    public BenchmarkDriver this[string name] => Usable.Single(d => d.Name == name);

    /// <summary>Says why nothing can be measured, if that is so.</summary>
    /// <returns>Whether something can.</returns>
    public bool ReportIfNone(TextWriter errors)
    {
        if (Usable.Count > 0)
        {
            return true;
        }

        errors.WriteLine("No hypervisor on this machine can run a guest, so there is nothing to measure.");
        foreach (string reason in Unusable)
        {
            errors.WriteLine(reason);
        }

        return false;
    }

    private static BenchmarkDriver WithMeter(IHypervisor hypervisor)
    {
        var meter = new KernelMeter();
        if (hypervisor is WhpHypervisor)
        {
            return new BenchmarkDriver(WhpDriver(WinHv.Instance, WindowsKernel.Instance, meter), meter);
        }

        var kernel = new MeteredKernel(LinuxKernel.Instance, meter);
        return hypervisor switch
        {
            KvmHypervisor => new BenchmarkDriver(new KvmHypervisor(kernel), meter),
            MshvHypervisor => new BenchmarkDriver(new MshvHypervisor(kernel), meter),
            _ => new BenchmarkDriver(hypervisor, null),
        };
    }

    private static WhpHypervisor WhpDriver(IWinHv winHv, IWindowsKernel windows, KernelMeter meter) =>
        new(new MeteredWinHv(winHv, meter), windows, new WhpOptions(), SurrogateExecutable.DefaultDirectory);

    /// <summary>WHP on a simulated platform, for the number of functions that are called; as with MSHV, the times say nothing.</summary>
    private static BenchmarkDriver SimulatedWhpDriver()
    {
        var meter = new KernelMeter();
        var windows = new SimulatedWindows();
        return new BenchmarkDriver(WhpDriver(new SimulatedWinHv(windows), windows, meter), meter, "whp (simulated)");
    }

    /// <summary>
    /// MSHV on a simulated kernel, for the number of requests: the guest is interpreted, so that the times say nothing about the hypervisor.
    /// </summary>
    private static BenchmarkDriver SimulatedMshvDriver()
    {
        var meter = new KernelMeter();
        var kernel = new SimulatedMshv(LinuxKernel.Instance) { KeepsJournal = false };
        return new BenchmarkDriver(new MshvHypervisor(new MeteredKernel(kernel, meter)), meter, "mshv (simulated)");
    }
}
