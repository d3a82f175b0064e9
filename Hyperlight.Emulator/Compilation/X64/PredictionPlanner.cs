using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Chooses which memory operands of a region use a <see cref="PredictionTable"/>, and which prediction of it. Operands share one that are
/// probably in the same page; a wrong choice costs time only.
/// </summary>
/// <param name="first">The first number that the region may use for predictions of its own: they are counted over all regions.</param>
internal sealed class PredictionPlanner(int first)
{
    /// <summary>The stack's, of all regions.</summary>
    public const int Stack = 0;

    /// <summary>Those of constant addresses, by page.</summary>
    private const int FirstConstant = Stack + 1;
    private const int Constants = 63;
    private const int FirstOwn = FirstConstant + Constants;

    private readonly Dictionary<(int Base, int Index, int Page), int> _own = [];

    /// <summary>The first number for the next region.</summary>
    public int Next => first + _own.Count;

    /// <summary>The prediction of an instruction's operand, without regard to whether it reads or writes; none if the operand is often in another page.</summary>
    public int? Find(in TraceOp place)
    {
        ref MicroOp op = ref place.Op;
        if (op.Index == MicroOp.ZeroRegister && op.Base == GeneralRegister.Rsp)
        {
            return Stack;
        }

        if (op.Index == MicroOp.ZeroRegister && op.Base == MicroOp.ZeroRegister)
        {
            return FirstConstant + (int)((op.Displacement >> HostPage.Shift) % Constants);
        }

        if (place.Node.Block.Notes?.FindPage(place.Index) is not { } page)
        {
            return null;
        }

        (int, int, int) key = (op.Base, op.Index, page);
        if (!_own.TryGetValue(key, out int prediction))
        {
            prediction = FirstOwn + (int)((uint)Next % (PredictionTable.CountForReads - FirstOwn));
            _own.Add(key, prediction);
        }

        return prediction;
    }
}
