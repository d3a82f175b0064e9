using Hyperlight.Whp;

namespace Hyperlight.Tests.Whp;

/// <summary>The driver on a simulated Windows with its platform, and what must be left of them at the end: nothing.</summary>
internal sealed class SimulatedWhp : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hyperlight-surrogates").FullName;

    /// <summary>Creates the platform; the driver is created when it is used first, so that a test can change the platform.</summary>
    /// <param name="options">The driver's options.</param>
    public SimulatedWhp(WhpOptions? options = null)
    {
        Platform = new SimulatedWinHv(Windows);
        Hypervisor = new WhpHypervisor(Platform, Windows, options ?? new WhpOptions(static _ => null), _directory);
    }

    public SimulatedWindows Windows { get; } = new();

    public SimulatedWinHv Platform { get; }

    public WhpHypervisor Hypervisor { get; }

    /// <summary>Everything that could have been left behind.</summary>
    public (int Partitions, int Processors, int Ranges, int LocalViews, int RemoteViews, int Processes, int Handles) Left =>
        (Platform.Partitions, Platform.VirtualProcessors, Platform.MappedRanges, Windows.LocalViews, Windows.RemoteViews,
            Windows.LiveProcesses, Windows.OpenHandles + Windows.OpenPrograms);

    /// <summary>Which functions of the platform were called while an action ran, and how often.</summary>
    public Dictionary<SimulatedFunction, int> Calls(Action action)
    {
        SimulatedFunction[] all = Enum.GetValues<SimulatedFunction>();
        int[] before = [.. all.Select(Platform.Calls)];
        action();
        return all.Where(f => Platform.Calls(f) != before[(int)f]).ToDictionary(f => f, f => Platform.Calls(f) - before[(int)f]);
    }

    /// <summary>Ends the driver, and checks that nothing is left.</summary>
    public void Dispose()
    {
        Hypervisor.Dispose();
        Directory.Delete(_directory, recursive: true);
        Assert.Multiple(() =>
        {
            Assert.That(Windows.Violations, Is.Empty);
            Assert.That(Left, Is.EqualTo((0, 0, 0, 0, 0, 0, 0)));
        });
    }
}
