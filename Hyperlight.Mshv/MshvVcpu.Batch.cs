using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>Registers that are written together: one hypercall instead of one for each kind.</summary>
internal sealed unsafe partial class MshvVcpu
{
    private HvRegisterAssoc[]? _batch;
    private int _batched;
    private bool _isBatching;

    /// <summary>Keeps registers that are written from now on.</summary>
    public void BeginBatch()
    {
        ThrowIfDisposed();
        _batch ??= new HvRegisterAssoc[RegistersAtOnce];
        _batched = 0;
        _isBatching = true;
    }

    /// <summary>Writes what was kept.</summary>
    /// <exception cref="HypervisorException">A register cannot be written; it is named, and those before it are written.</exception>
    public void EndBatch()
    {
        ThrowIfDisposed();
        _isBatching = false;
        WriteBatch();
    }

    private bool TryAddToBatch(ReadOnlySpan<HvRegisterAssoc> registers)
    {
        if (!_isBatching)
        {
            return false;
        }

        if (registers.Length > RegistersAtOnce - _batched)
        {
            WriteBatch();
        }

        if (registers.Length > RegistersAtOnce)
        {
            return false;
        }

        registers.CopyTo(_batch.AsSpan(_batched));
        _batched += registers.Length;
        return true;
    }

    private void WriteBatch()
    {
        if (_batched > 0)
        {
            // Not again if it fails: the caller begins anew.
            int count = _batched;
            _batched = 0;
            WriteRegisters(_batch.AsSpan(0, count));
        }
    }
}
