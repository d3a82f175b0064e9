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
    private readonly List<Instruction> _code = [];
    private readonly Dictionary<ulong, int> _positions = [];
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
        Dictionary<ulong, int> references = [];
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(code.ToArray()));
        while (decoder.IP < (ulong)code.Length)
        {
            decoder.Decode(out Instruction instruction);
            _positions.Add(instruction.IP, _code.Count);
            _code.Add(instruction);
            if (instruction.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch or FlowControl.Call)
            {
                ulong target = instruction.NearBranchTarget;
                references[target] = references.GetValueOrDefault(target) + 1;
            }
        }

        foreach (int entry in (int[])[layout.LinkedEntry, .. layout.Blocks])
        {
            references[(ulong)entry] = references.GetValueOrDefault((ulong)entry) + 1;
        }

        _targets.UnionWith(references.Keys);
        _links = new LinkPattern(_code, references, (ulong)layout.LinkedEntry);
        _pattern = new TranslationPattern(_code, _targets, layout.IsUser);
        _predictions = new PredictionPattern(_code, _positions, references, layout.IsUser);
        _strings = new StringPattern(_code, _positions, references, _pattern);
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

            if ((_pattern.PermissionAfter(i) ?? _predictions.PermissionAfter(i)) is { } permission)
            {
                _permission = permission;
            }
        }

        new FrameVerifier(_code, _positions, _links, _layout).Verify();
    }

    private static void VerifyKind(in Instruction instruction)
    {
        if (instruction.IsInvalid || instruction.IsPrivileged || instruction.SegmentPrefix != Register.None
            || instruction.IsStringInstruction || !AllowedInstructions.Contains(in instruction))
        {
            throw Refused(in instruction, "is none that emitted code may have");
        }
    }

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

    /// <summary>Whether a part of the state may be used: what emitted code calls, and the table of links, it may only read.</summary>
    private static bool IsState(long offset, int size, bool isWrite)
    {
        bool isInside = offset >= 0 && offset + size <= ProcessorState.Size;
        bool isPointer = offset + size > ProcessorState.InterpretOffset && offset < ProcessorState.FlagsOffset;
        return isInside && !(isWrite && isPointer);
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
