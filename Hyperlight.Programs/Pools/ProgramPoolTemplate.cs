using Hyperlight.Host.Pools;

namespace Hyperlight.Programs.Pools;

/// <summary>What the runners of a pool are made from: the image is read, and the program runs to its checkpoint, once for all of them.</summary>
internal sealed class ProgramPoolTemplate(ProgramTemplate template) : ISandboxTemplate
{
    public ISandboxSource Load(CancellationToken cancellationToken)
    {
        var origin = new KernelSandbox(template, cancellationToken);
        try
        {
            // This is a thread of the pool's own.
            _ = WarmUp.RunAsync(origin, template, cancellationToken).GetAwaiter().GetResult();
            return new ProgramSource(origin);
        }
        catch
        {
            origin.Dispose();
            throw;
        }
    }
}
