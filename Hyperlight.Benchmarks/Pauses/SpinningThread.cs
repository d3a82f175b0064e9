namespace Hyperlight.Benchmarks.Pauses;

/// <summary>A thread of managed code that spins: it takes a processor as a guest does, and is stopped as any other thread.</summary>
internal sealed class SpinningThread : IDisposable
{
    private readonly Thread _thread;
    private volatile bool _spins;
    private volatile bool _ends;

    public SpinningThread()
    {
        _thread = new Thread(Spin) { IsBackground = true };
        _thread.Start();
        while (!_spins)
        {
            Thread.Sleep(1);
        }
    }

    public void Dispose()
    {
        _ends = true;
        _thread.Join();
    }

    private void Spin()
    {
        _spins = true;
        while (!_ends)
        {
        }
    }
}
