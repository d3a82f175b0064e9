using Hyperlight.Emulator.Compilation;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Gives compiled code up when other machines need its memory.</summary>
internal sealed unsafe partial class Processor : ICodeHolder
{
    /// <summary>
    /// Held by a run, and by what else changes blocks. There is one thread at a time that uses a processor; this keeps out the thread
    /// of another processor that asks for memory.
    /// </summary>
    private readonly Lock _codeUse = new();

    private bool _isHolder;

    /// <summary>Whether another machine has asked for the memory of the code.</summary>
    private bool IsCodeWanted => (Volatile.Read(ref _state->CancelRequested) & ProcessorState.CodeWantedBit) != 0;

    /// <inheritdoc/>
    /// <remarks>Code that runs is left for it, also where it would go round for ever.</remarks>
    public void ReleaseCode()
    {
        if (!TryHoldMemory())
        {
            return;
        }

        try
        {
            Interlocked.Or(ref _state->CancelRequested, ProcessorState.CodeWantedBit);
            ReleaseUnlessRunning();
        }
        finally
        {
            native.DangerousRelease();
        }
    }

    /// <summary>Forgets the code if that was asked for and nothing runs; what runs sees the request.</summary>
    private void ReleaseUnlessRunning()
    {
        // Again if it was asked for while it was done.
        while (IsCodeWanted && _codeUse.TryEnter())
        {
            try
            {
                ReleaseIfWanted();
            }
            finally
            {
                _codeUse.Exit();
            }
        }
    }

    /// <summary>Forgets the code if another machine has asked for that. No emitted code is running.</summary>
    private void ReleaseIfWanted()
    {
        if (!IsCodeWanted)
        {
            return;
        }

        Interlocked.And(ref _state->CancelRequested, ~ProcessorState.CodeWantedBit);
        _blocks.ForgetRegions();
        NoteCodeIsForgotten();
    }

    /// <summary>Others may ask for the memory of the code from now on.</summary>
    private void BecomeHolder()
    {
        if (!_isHolder)
        {
            _isHolder = true;
            code.Holders.Add(this);
        }
    }
}
