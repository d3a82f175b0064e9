using System.Diagnostics.CodeAnalysis;
using System.Reflection.Emit;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// Translates a region to intermediate code of the host, which the host's compiler optimises. The guest's registers are
/// variables there; they go back to the processor where the code is left or calls the interpreter for an instruction.
/// Code for rare cases is out of line, after the main code.
/// </summary>
[RequiresDynamicCode("Compiles code while the program runs.")]
internal sealed partial class RegionCompiler
{
    private const int RegisterCount = 16;
    private const int OpsArgument = 0;
    private const int ProcessorArgument = 1;
    private const int EntryArgument = 2;

    private readonly List<RegionNode> _nodes;
    private readonly CodeWriter _w;
    private readonly List<Action> _outOfLine = [];
    private readonly List<MicroOp> _ops = [];
    private readonly Label[] _labels;

    private readonly LocalBuilder?[] _registers = new LocalBuilder?[RegisterCount];
    private readonly LocalBuilder _registerFile;
    private readonly LocalBuilder _tlb;
    private readonly LocalBuilder _remaining;
    private readonly LocalBuilder _rip;
    private readonly LocalBuilder _exit;
    private readonly Label _leave;
    private readonly Label _leaveWithoutState;
    private readonly int _written;

    /// <summary>Registers whose variables may be newer than the processor's fields, as bits.</summary>
    private int _dirty;

    private RegionCompiler(List<RegionNode> nodes, CodeWriter writer)
    {
        _nodes = nodes;
        _w = writer;
        _labels = [.. nodes.Select(_ => _w.NewLabel())];
        _leave = _w.NewLabel();
        _leaveWithoutState = _w.NewLabel();
        _registerFile = _w.Local(typeof(nint));
        _tlb = _w.Local(typeof(nint));
        _remaining = _w.Local(typeof(long));
        _rip = _w.Local(typeof(ulong));
        _exit = _w.Local(typeof(int));
        _address = _w.Local(typeof(ulong));
        _entry = _w.Local(typeof(nint));
        _left = _w.Local(typeof(ulong));
        _right = _w.Local(typeof(ulong));
        _new = _w.Local(typeof(ulong));
        _source = _w.Local(typeof(int));
        _a = _w.Local(typeof(ulong));
        _b = _w.Local(typeof(ulong));
        _result = _w.Local(typeof(ulong));
        _carry = _w.Local(typeof(ulong));
        int used = 0;
        foreach (RegionNode node in nodes)
        {
            foreach (ref MicroOp op in node.Ops)
            {
                if (OpTraits.IsCompiled(in op))
                {
                    used |= OpTraits.Registers(in op);
                    _written |= OpTraits.WrittenRegisters(in op);
                }
            }
        }

        for (int i = 0; i < RegisterCount; i++)
        {
            _registers[i] = (used & (1 << i)) != 0 ? _w.Local(typeof(ulong)) : null;
        }
    }

    /// <summary>Compiles blocks. The code can be entered at each that does not continue the one before it.</summary>
    public static Func<CodeSupport, int, RegionExit> Compile(List<RegionNode> nodes)
    {
        var method = new DynamicMethod(
            $"guest_0x{nodes[0].Block.Rip:X}",
            typeof(RegionExit),
            [typeof(MicroOp[]), typeof(CodeSupport), typeof(int)],
            typeof(CodeSupport).Module,
            skipVisibility: true);
        var compiler = new RegionCompiler(nodes, new CodeWriter(method.GetILGenerator()));
        compiler.WriteAll();
        return method.CreateDelegate<Func<CodeSupport, int, RegionExit>>(compiler._ops.ToArray());
    }

    private void WriteAll()
    {
        WriteEntry();
        foreach (RegionNode node in _nodes)
        {
            WriteNode(node);
        }

        // What is out of line may itself have parts that are.
        for (int i = 0; i < _outOfLine.Count; i++)
        {
            _outOfLine[i]();
        }

        WriteExit();
    }

    private void WriteEntry()
    {
        _w.Argument(ProcessorArgument);
        _w.Emit(OpCodes.Ldfld, Members.State);
        _w.Store(_registerFile);

        _w.Argument(ProcessorArgument);
        _w.Emit(OpCodes.Ldfld, Members.Tlb);
        _w.Emit(OpCodes.Ldfld, Members.TlbEntries);
        _w.Store(_tlb);

        _w.Load(_registerFile);
        _w.Emit(OpCodes.Ldfld, Members.CodeLimit);
        _w.Load(_registerFile);
        _w.Emit(OpCodes.Ldfld, Members.Executed);
        _w.Emit(OpCodes.Sub);
        _w.Store(_remaining);

        ReadRegisters();
        _w.Argument(EntryArgument);
        _w.Switch(_labels);
        _w.Emit(OpCodes.Br, _labels[0]);
    }

    private void WriteNode(RegionNode node)
    {
        ReadOnlySpan<MicroOp> ops = node.Ops;
        _w.Mark(_labels[node.Position]);
        if (!node.Continues)
        {
            _flags = FlagSource.Dynamic;
            _dirty = _written;
        }

        TakeFromBudget(node.Block.Rip, ops.Length);
        bool[] seen = OpTraits.FlagsThatAreSeen(ops);
        for (int i = 0; i < ops.Length; i++)
        {
            WriteInstruction(node, ops[i], seen[i], ops.Length - i);
        }

        if (!OpTable.EndsBlock(node.Last.Op))
        {
            GoTo(node, node.Next, node.Last.NextRip);
        }
    }

    /// <summary>The whole block's instructions are counted when it is entered; who leaves in the middle gives the rest back.</summary>
    private void TakeFromBudget(ulong rip, int instructions)
    {
        _w.Load(_remaining);
        _w.Int64((ulong)instructions);
        _w.Emit(OpCodes.Sub);
        _w.Store(_remaining);
        _w.Load(_remaining);
        _w.Int64(0);
        _w.Emit(OpCodes.Blt, LeaveAt(RegionExit.Interpret, rip, instructions));
    }

    /// <summary>A place out of line at which the region is left.</summary>
    /// <param name="exit">Why.</param>
    /// <param name="rip">Where the guest is then.</param>
    /// <param name="notExecuted">How many instructions of the block were counted and not executed.</param>
    private Label LeaveAt(RegionExit exit, ulong rip, int notExecuted)
    {
        FlagSource flags = _flags;
        Label label = _w.NewLabel();
        _outOfLine.Add(() =>
        {
            _w.Mark(label);
            StoreFlagSource(flags);
            GiveBack(notExecuted);
            _w.Int64(rip);
            _w.Store(_rip);
            _w.Int32((int)exit);
            _w.Store(_exit);
            _w.Emit(OpCodes.Br, _leave);
        });
        return label;
    }

    private void GiveBack(int instructions)
    {
        if (instructions != 0)
        {
            _w.Load(_remaining);
            _w.Int64((ulong)instructions);
            _w.Emit(OpCodes.Add);
            _w.Store(_remaining);
        }
    }

    private void WriteExit()
    {
        _w.Mark(_leave);
        WriteRegisters(_written);
        PushFlags();
        _w.Call(Members.SetFlags);
        _w.Load(_registerFile);
        _w.Load(_rip);
        _w.Emit(OpCodes.Stfld, Members.Rip);

        _w.Mark(_leaveWithoutState);
        _w.Load(_registerFile);
        _w.Load(_registerFile);
        _w.Emit(OpCodes.Ldfld, Members.CodeLimit);
        _w.Load(_remaining);
        _w.Emit(OpCodes.Sub);
        _w.Emit(OpCodes.Stfld, Members.Executed);
        _w.Load(_exit);
        _w.Emit(OpCodes.Ret);
    }

    /// <summary>Goes on at a block of the region, or leaves the region for a block that is not in it.</summary>
    private void GoTo(RegionNode from, RegionNode? to, ulong rip)
    {
        if (to is null)
        {
            _w.Emit(OpCodes.Br, LeaveAt(RegionExit.Continue, rip, 0));
            return;
        }

        StoreFlagSource(_flags);
        if (!to.Continues || to.Position != from.Position + 1)
        {
            _w.Emit(OpCodes.Br, _labels[to.Position]);
        }
    }

    private void ReadRegisters()
    {
        for (int i = 0; i < RegisterCount; i++)
        {
            if (_registers[i] is { } register)
            {
                RegisterAddress(i);
                _w.Emit(OpCodes.Ldind_I8);
                _w.Store(register);
            }
        }
    }

    private void WriteRegisters(int which)
    {
        for (int i = 0; i < RegisterCount; i++)
        {
            if ((which & (1 << i)) != 0)
            {
                RegisterAddress(i);
                _w.Load(_registers[i]!);
                _w.Emit(OpCodes.Stind_I8);
            }
        }
    }

    private void RegisterAddress(int index)
    {
        _w.Load(_registerFile);
        _w.Int32(index * sizeof(ulong));
        _w.Emit(OpCodes.Add);
    }
}
