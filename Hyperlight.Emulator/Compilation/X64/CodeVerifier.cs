using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;
using Iced.Intel;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Proves of emitted code, instruction by instruction, that it reaches no memory but the processor's state and the page of a
/// translation or prediction that was just compared, and goes nowhere but to its own instructions and to emitted code that the machine's
/// table has. It reads the finished bytes and shares nothing with what emitted them but the
/// registers' purposes and the layout of the state.
/// </summary>
internal sealed class CodeVerifier
{
    private readonly byte[] _bytes;
    private readonly List<Instruction> _code = [];
    private readonly Dictionary<ulong, int> _positions = [];

    /// <summary>How often each address is branched to or entered.</summary>
    private readonly Dictionary<ulong, int> _references = [];
    private readonly HashSet<ulong> _targets = [];
    private readonly InstructionInfoFactory _infos = new();
    private readonly TranslationPattern _pattern;
    private readonly PredictionPattern _predictions;
    private readonly StringPattern _strings;
    private readonly LinkPattern _links;
    private readonly EmittedLayout _layout;

    /// <summary>What R14 may be used for, if it is a host address.</summary>
    private TranslationPattern.Permission? _permission;

    private CodeVerifier(ReadOnlySpan<byte> code, EmittedLayout layout)
    {
        _layout = layout;
        _bytes = code.ToArray();
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(_bytes));
        while (decoder.IP < (ulong)code.Length)
        {
            decoder.Decode(out Instruction instruction);
            _positions.Add(instruction.IP, _code.Count);
            _code.Add(instruction);
            if (instruction.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch or FlowControl.Call)
            {
                ulong target = instruction.NearBranchTarget;
                _references[target] = _references.GetValueOrDefault(target) + 1;
            }
        }

        foreach (int entry in (int[])[layout.LinkedEntry, .. layout.Blocks])
        {
            _references[(ulong)entry] = _references.GetValueOrDefault((ulong)entry) + 1;
        }

        _targets.UnionWith(_references.Keys);
        _links = new LinkPattern(_code, _references, (ulong)layout.LinkedEntry);
        _pattern = new TranslationPattern(_code, _targets, layout.IsUser);
        _predictions = new PredictionPattern(_code, _positions, _references, layout.IsUser);
        _strings = new StringPattern(_code, _positions, _references, _pattern);
    }

    /// <exception cref="InvalidOperationException">The code may reach something else.</exception>
    public static void Verify(ReadOnlySpan<byte> code, EmittedLayout layout) => new CodeVerifier(code, layout).Verify();

    private void Verify()
    {
        foreach (ulong target in _targets)
        {
            if (!_positions.ContainsKey(target))
            {
                throw new InvalidOperationException($"A branch goes to 0x{target:X}, where no instruction begins.");
            }
        }

        for (int i = 0; i < _code.Count; i++)
        {
            Instruction instruction = _code[i];
            if (_targets.Contains(instruction.IP) && !_predictions.IsJoin(instruction.IP))
            {
                _permission = null;
            }

            bool isString = instruction.IsStringInstruction && _strings.Contains(i);
            if (!isString)
            {
                VerifyKind(in instruction);
            }

            InstructionInfo info = _infos.GetInfo(in instruction);
            foreach (UsedMemory memory in info.GetUsedMemory())
            {
                if (!isString)
                {
                    VerifyMemory(i, in instruction, memory);
                }
            }

            foreach (UsedRegister register in info.GetUsedRegisters())
            {
                VerifyRegister(in instruction, register);
            }

            if (instruction.FlowControl is FlowControl.Call or FlowControl.IndirectCall)
            {
                // What is called uses the register as well.
                _permission = null;
            }

            if ((_pattern.PermissionAfter(i) ?? _predictions.PermissionAfter(i)) is { } permission)
            {
                _permission = permission;
            }
        }

        new FrameVerifier(_code, _positions, _references, _links, _layout).Verify();
    }

    private void VerifyKind(in Instruction instruction)
    {
        if (instruction.IsInvalid || instruction.IsPrivileged || instruction.SegmentPrefix != Register.None
            || instruction.IsStringInstruction || !AllowedInstructions.Contains(in instruction) || HasOtherForm(in instruction)
            || (instruction.FlowControl != FlowControl.Next && HasPrefix(in instruction)))
        {
            throw Refused(in instruction, "is none that emitted code may have");
        }
    }

    /// <summary>
    /// Whether an instruction has a form that is never emitted, and of which the operands do not say what memory it uses: a bit whose index is in a
    /// register may be anywhere, and what is no whole slot of the stack moves the stack pointer by something else.
    /// </summary>
    private static bool HasOtherForm(in Instruction instruction) => instruction.Mnemonic switch
    {
        Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc => instruction.Op0Kind == OpKind.Memory && instruction.Op1Kind == OpKind.Register,
        Mnemonic.Push => instruction.Code != Code.Push_r64,
        Mnemonic.Pop => instruction.Code != Code.Pop_r64 || instruction.Op0Register == Register.RSP,
        Mnemonic.Call => instruction.Code is not (Code.Call_rel32_64 or Code.Call_rm64),
        Mnemonic.Jmp => instruction.Code is not (Code.Jmp_rel32_64 or Code.Jmp_rel8_64 or Code.Jmp_rm64),
        Mnemonic.Ret => instruction.Code != Code.Retnq,
        _ => false,
    };

    /// <summary>Whether there is a prefix: there are branches with one that processors of AMD take to an address of 16 bits, and others do not.</summary>
    private bool HasPrefix(in Instruction instruction)
    {
        int at = (int)instruction.IP;
        return IsPrefix(_bytes[at]) || ((_bytes[at] & 0xF0) == 0x40 && IsPrefix(_bytes[at + 1]));
    }

    private static bool IsPrefix(byte value) => value is 0x26 or 0x2E or 0x36 or 0x3E or (>= 0x64 and <= 0x67) or 0xF0 or 0xF2 or 0xF3;

    private void VerifyMemory(int position, in Instruction instruction, in UsedMemory memory)
    {
        bool isWrite = memory.Access is OpAccess.Write or OpAccess.CondWrite or OpAccess.ReadWrite or OpAccess.ReadCondWrite;
        int size = memory.MemorySize.GetSize();
        bool isAllowed = memory.Access == OpAccess.NoMemAccess || _predictions.Contains(position) || memory.Base switch
        {
            Register.R15 when memory.Index == Register.R13 => !isWrite && _pattern.Contains(position),
            Register.R15 => memory.Index == Register.None && IsState((long)memory.Displacement, size, isWrite && !_links.Contains(position)),
            Register.RAX or Register.R14 when memory.Index == Register.RCX => _strings.IsElement(position),
            Register.R14 => memory.Index == Register.None && _permission is { } permission && size > 0
                && memory.Displacement <= HostPage.Size && (int)memory.Displacement + size <= permission.Size
                && (!isWrite || permission.IsWritable),
            Register.R13 => !isWrite && _links.Contains(position),
            Register.RSP => IsStackInstruction(in instruction),
            _ => false,
        };
        if (!isAllowed)
        {
            throw Refused(in instruction, "uses memory that is neither the state nor a page that was translated");
        }
    }

    /// <summary>
    /// Whether a part of the state may be used: only the first, and what emitted code calls, the table of links and requests to end it may
    /// only read.
    /// </summary>
    private static bool IsState(long offset, int size, bool isWrite)
    {
        bool isInside = offset >= 0 && offset + size <= ProcessorState.EmittedSize;
        bool isPointer = offset + size > ProcessorState.InterpretOffset && offset < ProcessorState.FlagsOffset;
        bool isRequest = offset + size > ProcessorState.CancelRequestedOffset && offset < ProcessorState.MxcsrOffset;
        return isInside && !(isWrite && (isPointer || isRequest));
    }

    private void VerifyRegister(in Instruction instruction, in UsedRegister register)
    {
        bool isWrite = register.Access is not (OpAccess.Read or OpAccess.CondRead or OpAccess.None or OpAccess.NoMemAccess);
        if (register.Register.IsSegmentRegister() && isWrite)
        {
            throw Refused(in instruction, "changes a segment");
        }

        if (!register.Register.IsGPR())
        {
            return;
        }

        Register full = register.Register.GetFullRegister();
        if (full == Register.R14 && isWrite)
        {
            _permission = null;
        }

        bool isStack = full == Register.RSP && !IsStackInstruction(in instruction);
        bool isState = full == Register.R15 && isWrite && instruction.Mnemonic != Mnemonic.Pop && !FrameVerifier.IsEntryMove(in instruction);
        if (isStack || isState)
        {
            throw Refused(in instruction, $"uses {full}");
        }
    }

    private static bool IsStackInstruction(in Instruction instruction) =>
        instruction.Mnemonic is Mnemonic.Push or Mnemonic.Pop or Mnemonic.Call or Mnemonic.Ret
        || (instruction.Mnemonic == Mnemonic.Lea && instruction.Op0Register == Register.RSP
            && instruction.MemoryBase == Register.RSP && instruction.MemoryIndex == Register.None);

    internal static InvalidOperationException Refused(in Instruction instruction, string why) =>
        new($"Emitted code is not isolated: '{instruction}' at 0x{instruction.IP:X} {why}.");
}
