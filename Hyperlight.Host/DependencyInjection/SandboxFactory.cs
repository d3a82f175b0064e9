using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>The factory that <c>AddHyperlight</c> registers.</summary>
internal sealed class SandboxFactory(
    HypervisorSelector selector, IOptions<HyperlightOptions> options, ILoggerFactory loggers, HyperlightMetrics metrics)
    : ISandboxFactory
{
    private volatile HypervisorSelection? _selection;

    public HypervisorSelection Hypervisor
    {
        get
        {
            if (_selection is { } known)
            {
                return known;
            }

            HypervisorSelection selection = selector.Select(options.Value.AllowedNames, options.Value.AllowEmulator);
            DriverReport.Write(loggers, new SinkFailures(), selection);
            return _selection = selection;
        }
    }

    public SandboxBuilder CreateBuilder() => new SandboxBuilder(selector)
        .WithHypervisor(() => Hypervisor)
        .WithConfiguration(options.Value.Configuration)
        .WithGuestThreads(options.Value.GuestThreads)
        .WithLogging(loggers)
        .WithMetrics(metrics)
        .WithLoggedOutput();

    public Snapshot LoadSnapshot(string path, string reference = Snapshot.DefaultTag) =>
        Snapshot.Load(path, reference, Hypervisor.Hypervisor);
}
