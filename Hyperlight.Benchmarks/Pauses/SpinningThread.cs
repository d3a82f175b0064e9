using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Pauses;

/// <summary>A thread that takes a processor as a guest does, without one.</summary>
internal sealed class SpinningThread : IDisposable
{
    private readonly Action _round;
    private readonly IDisposable? _resource;
    private readonly Thread _thread;
    private volatile bool _spins;
    private volatile bool _ends;

    private SpinningThread(Action round, IDisposable? resource)
    {
        _round = round;
        _resource = resource;
        _thread = new Thread(Spin) { IsBackground = true };
        _thread.Start();
        while (!_spins)
        {
            Thread.Sleep(1);
        }
    }

    /// <summary>In managed code, which the runtime has to stop.</summary>
    public static SpinningThread InManagedCode() => new(static () => { }, null);

    /// <summary>In machine code of the benchmark guest, nearly all the time: the runtime does not have to stop it.</summary>
    public static SpinningThread InNativeCode()
    {
        var workload = new NativeWorkload(Workload.Loop);
        return new SpinningThread(workload.Run, workload);
    }

    public void Dispose()
    {
        _ends = true;
        _thread.Join();
        _resource?.Dispose();
    }

    private void Spin()
    {
        _spins = true;
        while (!_ends)
        {
            _round();
        }
    }
}
