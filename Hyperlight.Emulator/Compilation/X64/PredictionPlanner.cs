using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Chooses which memory operands of a region use a <see cref="PredictionTable"/>, and which prediction of it: none but those of blocks that
/// are to predict. Operands share one that are probably in the same page; a wrong choice costs time only.
/// </summary>
/// <param name="first">The first number that the region may use for predictions of its own: they are counted over all regions.</param>
internal sealed class PredictionPlanner(int first)
{
    /// <summary>Those of constant addresses, by page: all regions share them.</summary>
    private const int Constants = 63;

    private readonly Dictionary<(int Base, int Index, int Page), int> _own = [];

    /// <summary>The first number for the next region.</summary>
    public int Next => first + _own.Count;

    /// <summary>
    /// The prediction of what is pushed and popped. Each region has one of its own for the stack: functions that call each other are often in
    /// different pages of it, where one ends between their frames.
    /// </summary>
    public int? FindStack(in TraceOp place) => place.Node.Predicts ? Own((GeneralRegister.Rsp, MicroOp.ZeroRegister, 0)) : null;

    /// <summary>The prediction of an instruction's operand, without regard to whether it reads or writes; none if the operand is often in another page.</summary>
    public int? Find(in TraceOp place)
    {
        ref MicroOp op = ref place.Op;
        if (!place.Node.Predicts)
        {
            return null;
        }

        if (op.Index == MicroOp.ZeroRegister && op.Base == GeneralRegister.Rsp)
        {
            return FindStack(in place);
        }

        if (op.Index == MicroOp.ZeroRegister && op.Base == MicroOp.ZeroRegister)
        {
            return (int)((op.Displacement >> HostPage.Shift) % Constants);
        }

        return place.Node.Block.Notes?.FindPage(place.Index) is { } page ? Own((op.Base, op.Index, page)) : null;
    }

    private int Own((int Base, int Index, int Page) key)
    {
        if (!_own.TryGetValue(key, out int prediction))
        {
            prediction = Constants + (int)((uint)Next % (PredictionTable.CountForReads - Constants));
            _own.Add(key, prediction);
        }

        return prediction;
    }
}
