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
    private bool _isReleaseWanted;

    public void ReleaseCode()
    {
        Volatile.Write(ref _isReleaseWanted, true);
        if (_codeUse.TryEnter())
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
        if (!Volatile.Read(ref _isReleaseWanted))
        {
            return;
        }

        Volatile.Write(ref _isReleaseWanted, false);
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
