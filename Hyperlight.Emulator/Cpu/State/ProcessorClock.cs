using System.Diagnostics;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The time-stamp counter and the random numbers of a processor.</summary>
internal sealed unsafe class ProcessorClock(ProcessorState* state, ulong? seed)
{
    private EntropySource _entropy = new(seed);

    /// <summary>How many instructions had been executed when the clock of a processor with a seed was zero.</summary>
    private long _clockStart;

    /// <summary>The time-stamp counter of the guest.</summary>
    public ulong TimeStamp => Clock + state->Msrs.TscOffset;

    /// <summary>
    /// The host's time, or with a seed the number of instructions executed since the last restart: see <see
    /// cref="CodeFetcher.ReadsClock"/>.
    /// </summary>
    public ulong Clock => seed is null ? (ulong)Stopwatch.GetTimestamp() : (ulong)(state->Executed - _clockStart);

    /// <summary>
    /// With a seed, begins time and random numbers again: those that the next guest reads do not tell how much the last one
    /// has executed and drawn.
    /// </summary>
    public void RestartSources()
    {
        _clockStart = state->Executed;
        _entropy.Restart();
    }

    /// <summary>Draws a random number.</summary>
    public ulong Draw() => _entropy.Next();

}
