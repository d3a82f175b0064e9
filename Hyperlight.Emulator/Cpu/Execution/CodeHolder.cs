using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Gives compiled code up when other machines need its memory.</summary>
internal sealed unsafe class CodeHolder(
    ProcessorState* state,
    BlockCache blocks,
    CodeCache code,
    ProcessorMemory native,
    CompiledCode compiled) : ICodeHolder
{
    /// <summary>
    /// Held by a run, and by what else changes blocks. There is one thread at a time that uses a processor; this keeps out the thread
    /// of another processor that asks for memory.
    /// </summary>
    public Lock Use { get; } = new();

    private bool _isHolder;

    /// <summary>Whether another machine has asked for the memory of the code.</summary>
    private bool IsCodeWanted => (Volatile.Read(ref state->CancelRequested) & ProcessorState.CodeWantedBit) != 0;

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
            Interlocked.Or(ref state->CancelRequested, ProcessorState.CodeWantedBit);
            ReleaseUnlessRunning();
        }
        finally
        {
            native.DangerousRelease();
        }
    }

    /// <summary>Forgets the code if that was asked for and nothing runs; what runs sees the request.</summary>
    public void ReleaseUnlessRunning()
    {
        // Again if it was asked for while it was done.
        while (IsCodeWanted && Use.TryEnter())
        {
            try
            {
                ReleaseIfWanted();
            }
            finally
            {
                Use.Exit();
            }
        }
    }

    /// <summary>Forgets the code if another machine has asked for that. No emitted code is running.</summary>
    public void ReleaseIfWanted()
    {
        if (!IsCodeWanted)
        {
            return;
        }

        Interlocked.And(ref state->CancelRequested, ~ProcessorState.CodeWantedBit);
        blocks.ForgetRegions();
        compiled.NoteForgotten();
    }

    /// <summary>Others may ask for the memory of the code from now on.</summary>
    public void BecomeHolder()
    {
        if (!_isHolder)
        {
            _isHolder = true;
            code.Holders.Add(this);
        }
    }

    /// <summary>Keeps the memory outside the managed heap until it is released again, unless there will be no run any more.</summary>
    public bool TryHoldMemory()
    {
        bool isHeld = false;
        try
        {
            native.DangerousAddRef(ref isHeld);
        }
        catch (ObjectDisposedException)
        {
            // The machine is disposed.
        }

        return isHeld;
    }
}
