using Hyperlight.Abstractions;
using Hyperlight.Host.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Memory.Mappings;

/// <summary>Phase one of a file mapping as sandboxes use it: what drivers cannot log is logged here.</summary>
internal static class FilePreparation
{
    /// <summary>Opens a file for a guest, and logs if its name had to be cut to serve as a label.</summary>
    /// <exception cref="ArgumentException">The path, the label or the address is invalid.</exception>
    /// <exception cref="FileMappingException">The file cannot be opened or mapped, or is empty.</exception>
    public static IPreparedMapping Prepare(IHypervisor hypervisor, string path, ulong guestAddress, string? label, ILogger logger)
    {
        IPreparedMapping prepared = hypervisor.PrepareFileMapping(path, guestAddress, label);
        if (label is null && prepared.Label != MappingLabel.Unknown && prepared.Label != Path.GetFileName(path))
        {
            MappingLog.LabelShortened(logger, path, prepared.Label);
        }

        return prepared;
    }

    /// <summary>Releases a prepared file, unless it was consumed. A failure is logged.</summary>
    public static void Release(IPreparedMapping prepared, ILogger logger)
    {
        prepared.Dispose();
        if (prepared.CleanupFailure is { } failure)
        {
            MappingLog.CleanupFailed(logger, failure, prepared.Label);
        }
    }
}
