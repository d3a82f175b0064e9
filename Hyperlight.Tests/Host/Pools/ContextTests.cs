using System.Runtime.CompilerServices;

namespace Hyperlight.Tests.Host.Pools;

/// <summary>A pool that is used first by a request has nothing to do with that request.</summary>
[TestFixture]
internal sealed class ContextTests
{
    private static readonly AsyncLocal<object?> OfRequest = new();

    [Test]
    public void A_pool_does_not_keep_what_flows_with_its_creator()
    {
        (SandboxPool pool, WeakReference value) = CreateInRequest();

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.That(value.IsAlive, Is.False);
        pool.Dispose();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (SandboxPool Pool, WeakReference Value) CreateInRequest()
    {
        object value = new();
        OfRequest.Value = value;
        var pool = new SandboxPool(new StubSource(), new SandboxPoolOptions { MinimumSize = 0 }, "test", null, TimeProvider.System);
        OfRequest.Value = null;
        return (pool, new WeakReference(value));
    }
}
