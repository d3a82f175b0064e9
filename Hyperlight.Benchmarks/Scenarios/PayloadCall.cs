using Hyperlight.Abstractions;
using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A call that carries bytes, in a sandbox that is large enough for them.</summary>
internal sealed class PayloadCall : Scenario
{
    private const int MessageOverhead = 4096;
    private const ulong GuestOverhead = 1 << 20;

    private readonly MultiUseSandbox _sandbox;
    private readonly Action<MultiUseSandbox> _call;

    private PayloadCall(BenchmarkDriver driver, int size, Action<MultiUseSandbox> call)
    {
        _sandbox = TestGuest.Builder(driver).WithConfiguration(ConfigurationFor(size)).Build();
        _call = call;
    }

    /// <summary>Bytes into the guest, and the same bytes out again.</summary>
    public static PayloadCall Echo(BenchmarkDriver driver, int size)
    {
        byte[] payload = new byte[size];
        return new PayloadCall(driver, size, s => s.Call<byte[]>("EchoBytes", payload));
    }

    /// <summary>Bytes out of the guest, which fills them with a value.</summary>
    public static PayloadCall Out(BenchmarkDriver driver, int size) =>
        new(driver, size, s => s.Call<byte[]>("MakeBytes", size, 7));

    public override void Run() => _call(_sandbox);

    public override void Dispose() => _sandbox.Dispose();

    /// <summary>
    /// The guest holds up to two further copies of a message in its heap, and heap pages that it writes are copied to
    /// scratch memory.
    /// </summary>
    private static SandboxConfiguration ConfigurationFor(int size)
    {
        int buffer = Math.Max(size + MessageOverhead, SandboxConfiguration.MinimumBufferSize);
        ulong heap = (3 * (ulong)buffer) + GuestOverhead;
        return new SandboxConfiguration
        {
            InputBufferSize = buffer,
            OutputBufferSize = buffer,
            HeapSize = GuestPage.RoundUp(heap),
            ScratchSize = GuestPage.RoundUp((2 * (ulong)buffer) + heap + (heap / 64) + (2 * GuestOverhead)),
        };
    }
}
