using Hyperlight.Host.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>The factory that <c>AddHyperlight</c> registers.</summary>
internal sealed class SandboxFactory(HypervisorSelector selector, IOptions<HyperlightOptions> options, ILoggerFactory loggers)
    : ISandboxFactory
{
    private readonly ILogger _logger = loggers.CreateLogger(SandboxLog.Category);
    private HypervisorSelection? _logged;

    public HypervisorSelection Hypervisor
    {
        get
        {
            HypervisorSelection selection = options.Value.Hypervisor is { } name ? selector.Select(name) : selector.Select();

            // Once for an application; every sandbox says it again, but only in debug logs.
            if (Interlocked.CompareExchange(ref _logged, selection, null) is null)
            {
                SandboxLog.DriverChosen(_logger, selection.Name, selection.Reason);
            }

            return selection;
        }
    }

    public SandboxBuilder CreateBuilder() => new SandboxBuilder()
        .WithHypervisor(() => Hypervisor)
        .WithConfiguration(options.Value.Configuration)
        .WithLogging(loggers);

    public Snapshot LoadSnapshot(string path, string reference = Snapshot.DefaultTag) =>
        Snapshot.Load(path, reference, Hypervisor.Hypervisor);
}
