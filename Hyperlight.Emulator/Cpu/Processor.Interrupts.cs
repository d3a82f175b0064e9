namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// Interrupts from outside. They are taken between two blocks: where the guest turns interrupts on, a block ends.
/// </summary>
internal sealed partial class Processor
{
    private const int NoVector = -1;

    /// <summary>No instruction is there.</summary>
    private const ulong NoShadow = ulong.MaxValue;

    /// <summary>The vector that the guest is interrupted with when it runs again.</summary>
    private int _injected = NoVector;

    /// <summary>The run ends as soon as the guest can be interrupted.</summary>
    private bool _isWindowWanted;

    /// <summary>
    /// Where the instruction is that STI or a load of SS holds interrupts back for. If the guest comes there in another way, it
    /// is interrupted an instruction later than it could be.
    /// </summary>
    private ulong _shadowed = NoShadow;

    /// <summary>Whether the last instruction holds interrupts back for the next one.</summary>
    public bool IsInShadow => _rip == _shadowed || _isShadowed;

    private bool InterruptsAreOn => (_otherFlags & FlagInterrupt) != 0;

    private bool IsInterruptible => InterruptsAreOn && !IsInShadow;

    /// <summary>Interrupts the guest when it runs again, or has the run end as soon as it can be interrupted.</summary>
    public bool TryInject(byte vector)
    {
        _isWindowWanted = !IsInterruptible;
        _injected = _isWindowWanted ? _injected : vector;
        return !_isWindowWanted;
    }

    /// <summary>Has the run end as soon as the guest can be interrupted.</summary>
    public void WantWindow() => _isWindowWanted = true;

    /// <summary>Nothing is to interrupt the guest any more.</summary>
    public void DiscardInterrupts() => (_injected, _isWindowWanted, _shadowed) = (NoVector, false, NoShadow);

    /// <summary>Holds interrupts back for the instruction that follows the one being executed.</summary>
    private bool CastShadow()
    {
        _shadowed = _rip;
        return true;
    }

    /// <summary>Whether a single instruction has to be executed before the guest can be interrupted.</summary>
    private bool MustLeaveShadow()
    {
        if (!_isWindowWanted || !InterruptsAreOn)
        {
            return false;
        }

        _shadowed = NoShadow;
        return true;
    }

    /// <summary>Enters the handler of the interrupt. False if there is an exit instead.</summary>
    private bool EnterInterrupt()
    {
        var vector = (byte)_injected;
        _injected = NoVector;
        Trap(vector, _rip);
        return Deliver();
    }
}
