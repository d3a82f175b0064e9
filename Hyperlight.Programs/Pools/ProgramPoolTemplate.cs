using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Pools;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Programs.Pools;

/// <summary>What the runners of a pool are made from: the image is read, and the program runs to its checkpoint, once for all of them.</summary>
/// <param name="template">What they run.</param>
/// <param name="name">The name of the pool.</param>
/// <param name="loggers">Where it is logged that the checkpoint cannot be saved.</param>
internal sealed class ProgramPoolTemplate(ProgramTemplate template, string name, ILoggerFactory loggers) : ISandboxTemplate
{
    public ISandboxSource Load(CancellationToken cancellationToken)
    {
        var origin = new KernelSandbox(template, cancellationToken);
        try
        {
            // This is a thread of the pool's own.
            ProgramWarmUp? warmUp = WarmUp.RunAsync(origin, template, cancellationToken).GetAwaiter().GetResult();
            if (warmUp?.SaveFailure is { } failure)
            {
                PoolLog.CheckpointNotSaved(GuardedLogger.Create(loggers, PoolLog.Category, new SinkFailures()), failure, name);
            }

            return new ProgramSource(origin);
        }
        catch
        {
            origin.Dispose();
            throw;
        }
    }
}
