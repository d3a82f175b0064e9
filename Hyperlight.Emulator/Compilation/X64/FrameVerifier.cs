using Hyperlight.Emulator.Cpu;
using Iced.Intel;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Follows the height of the host's stack through emitted code: on every way it is the same at an instruction, each return
/// finds an address that was pushed for it, only the entry jumps to an address that it is given, and other code is entered
/// with the stack that it expects.
/// </summary>
internal sealed class FrameVerifier(
    List<Instruction> code, Dictionary<ulong, int> positions, Dictionary<ulong, int> references, LinkPattern links, EmittedLayout layout)
{
    private const int Slot = 8;

    private readonly Dictionary<int, long> _heights = [];
    private readonly Stack<(int Position, long Height)> _open = [];
    private readonly InstructionInfoFactory _infos = new();
    private readonly int _linkedEntry = positions[(ulong)layout.LinkedEntry];
    private long? _body;
    private bool _isEntered;

    /// <summary>Whether an instruction makes the first argument the state.</summary>
    public static bool IsEntryMove(in Instruction instruction) =>
        instruction.Code == Code.Mov_rm64_r64 && instruction.Op0Register == Register.R15
        && instruction.Op1Register is Register.RDI or Register.RCX;

    public void Verify()
    {
        VerifyEntry();
        _open.Push((0, 0));
        while (_open.TryPop(out (int Position, long Height) next))
        {
            if (next.Position >= code.Count)
            {
                throw new InvalidOperationException("Emitted code ends without a branch.");
            }

            if (!_heights.TryAdd(next.Position, next.Height))
            {
                Require(next.Position, _heights[next.Position] == next.Height, "is reached with different stacks");
                continue;
            }

            if (next.Position == _linkedEntry)
            {
                _body = next.Height;
            }

            Follow(next.Position, next.Height);
        }

        Require(_linkedEntry, _isEntered, "is not where code is entered");
    }

    /// <summary>
    /// The entry is straight code: it takes both arguments before it uses the state, and jumps to the second one, or to what other code has put in
    /// its place.
    /// </summary>
    private void VerifyEntry()
    {
        int move = 0;
        while (move < _linkedEntry && code[move] is { Mnemonic: Mnemonic.Push } or { Mnemonic: Mnemonic.Lea, Op0Register: Register.RSP })
        {
            move++;
        }

        Instruction argument = code[move + 1];
        Require(move, move + 1 < _linkedEntry && IsEntryMove(code[move]), "is not the first argument, which is the state");
        Require(
            move + 1,
            argument is { Code: Code.Mov_rm64_r64, Op0Register: Register.R14, Op1Register: Register.RSI or Register.RDX },
            "is not the second argument, which is where code begins");
        for (int i = 0; code[i].FlowControl != FlowControl.IndirectBranch; i++)
        {
            Require(i, code[i].FlowControl == FlowControl.Next && i + 1 < code.Count, "does not lead to a block");
            Require(i, i == _linkedEntry || !references.ContainsKey(code[i].IP), "is in the entry, and is branched to");
            Require(i, i <= move + 1 || !Changes(code[i], Register.R14), "changes where code begins");
            Require(i, i <= move || !Changes(code[i], Register.R15), "changes the state");
        }
    }

    private bool Changes(in Instruction instruction, Register register)
    {
        foreach (UsedRegister used in _infos.GetInfo(in instruction).GetUsedRegisters())
        {
            bool isWrite = used.Access is not (OpAccess.Read or OpAccess.CondRead or OpAccess.None or OpAccess.NoMemAccess);
            if (isWrite && used.Register.IsGPR() && used.Register.GetFullRegister() == register)
            {
                return true;
            }
        }

        return false;
    }

    private void Follow(int position, long height)
    {
        Instruction instruction = code[position];
        switch (instruction.FlowControl)
        {
            case FlowControl.Next:
                Require(position, !IsEntryMove(in instruction) || _body is null, "changes the state behind the entry");
                long growth = Growth(in instruction);
                Require(position, growth == 0 || MayGrow(position, height, growth), "moves the stack pointer, but neither enters nor leaves the code or the interpreter");
                _open.Push((position + 1, height + growth));
                break;
            case FlowControl.ConditionalBranch:
                _open.Push((position + 1, height));
                _open.Push((positions[instruction.NearBranchTarget], height));
                break;
            case FlowControl.UnconditionalBranch:
                _open.Push((positions[instruction.NearBranchTarget], height));
                break;
            case FlowControl.Call:
                Require(position, height == _body, "calls with something else on the stack");
                _open.Push((positions[instruction.NearBranchTarget], height + Slot));
                _open.Push((position + 1, height));
                break;
            case FlowControl.IndirectCall:
                Require(position, IsInterpret(in instruction), "calls something else than the interpreter");
                Require(position, HasArguments(position), "calls the interpreter without its arguments");
                _open.Push((position + 1, height));
                break;
            case FlowControl.IndirectBranch:
                Require(position, height == _body, "jumps with something else on the stack");
                if (links.Contains(position))
                {
                    break;
                }

                // The entry: its argument is where a block begins.
                Require(position, !_isEntered && instruction.Op0Register == Register.R14, "jumps to a computed address");
                _isEntered = true;
                foreach (int entry in layout.Blocks)
                {
                    _open.Push((positions[(ulong)entry], height));
                }

                break;
            case FlowControl.Return:
                Require(position, height == 0 || height == _body + Slot, "returns with something else on the stack");
                break;
            default:
                Require(position, false, "leaves the code");
                break;
        }
    }

    /// <summary>
    /// Whether the stack may grow or shrink: it grows in the entry, shrinks where nothing follows but the return, and does both around a call of
    /// the interpreter. So what a return finds was pushed by a call, and nothing uses the state once R15 is the caller's again.
    /// </summary>
    private bool MayGrow(int position, long height, long growth)
    {
        if (_body is null)
        {
            return growth > 0;
        }

        int call = growth > 0 ? position + 1 : position - 1;
        int other = growth > 0 ? position + 2 : position - 2;
        bool isAroundCall = code[position].Mnemonic == Mnemonic.Lea && other >= 0 && other < code.Count
            && code[call].FlowControl == FlowControl.IndirectCall && code[other].Mnemonic == Mnemonic.Lea && Growth(code[other]) == -growth;
        bool leaves = growth < 0 && height <= _body && position + 1 < code.Count && code[position + 1].Mnemonic is Mnemonic.Pop or Mnemonic.Ret;
        return isAroundCall || leaves;
    }

    private static long Growth(in Instruction instruction) => instruction.Mnemonic switch
    {
        Mnemonic.Push => Slot,
        Mnemonic.Pop => -Slot,
        Mnemonic.Lea when instruction.Op0Register == Register.RSP => -(long)instruction.MemoryDisplacement64,
        _ => 0,
    };

    private static bool IsInterpret(in Instruction instruction) =>
        instruction.Op0Kind == OpKind.Memory && instruction.MemoryBase == Register.R15
        && instruction.MemoryIndex == Register.None && instruction.MemoryDisplacement64 == ProcessorState.InterpretOffset;

    /// <summary>Whether a call is given the state and the number of an instruction.</summary>
    private bool HasArguments(int call)
    {
        const int Before = 3;
        int first = call - Before;
        return first >= 0 && StraightCode.Is(code, references, first, Before + 1)
            && code[first] is { Code: Code.Mov_rm64_r64, Op0Register: Register.RDI or Register.RCX, Op1Register: Register.R15 }
            && code[first + 1] is { Code: Code.Mov_rm32_r32, Op0Register: Register.ESI or Register.EDX, Op1Register: Register.R14D }
            && code[first + 2].Mnemonic == Mnemonic.Lea;
    }

    private void Require(int position, bool holds, string why)
    {
        if (!holds)
        {
            throw CodeVerifier.Refused(code[position], why);
        }
    }
}
