using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The state of the x87, its stack, and its exceptions.</summary>
internal sealed partial class Processor
{
    private const int X87Exceptions = 0x3F;
    private const int X87StackFault = 0x40;
    private const int X87Summary = 0x8080;
    private const int Condition0 = 0x100;
    private const int Condition1 = 0x200;
    private const int Condition2 = 0x400;
    private const int Condition3 = 0x4000;
    private const int TopShift = 11;

    private X87File _x87;
    private ushort _x87Control = FpuRegisters.ControlWordReset;
    private ushort _x87Status;

    /// <summary>One bit a register, set when it is in use: the abridged tag word.</summary>
    private byte _x87Used;
    private ushort _x87Opcode;
    private ulong _x87Instruction;
    private ulong _x87Operand;

    private int Top
    {
        get => (_x87Status >> TopShift) & 7;
        set => _x87Status = (ushort)((_x87Status & ~(7 << TopShift)) | ((value & 7) << TopShift));
    }

    private FloatEnvironment X87Environment() => new()
    {
        Rounding = (RoundingMode)((_x87Control >> 10) & 3),
        Precision = (byte)(((_x87Control >> 8) & 3) switch { 0 => 24, 2 => 53, _ => 64 }),
        Masked = (FloatExceptions)(_x87Control & X87Exceptions),
    };

    private bool IsEmpty(int index) => ((_x87Used >> ((Top + index) & 7)) & 1) == 0;

    private Float80 St(int index) => _x87[(Top + index) & 7];

    private void SetSt(int index, Float80 value)
    {
        int register = (Top + index) & 7;
        _x87[register] = value;
        _x87Used |= (byte)(1 << register);
    }

    private void FreeSt(int index) => _x87Used &= (byte)~(1 << ((Top + index) & 7));

    private void PushSt(Float80 value)
    {
        Top--;
        SetSt(0, value);
    }

    private void PopSt()
    {
        FreeSt(0);
        Top++;
    }

    private void PopSt(X87Form form)
    {
        if ((form & (X87Form.Pop | X87Form.PopTwice)) != 0)
        {
            PopSt();
        }

        if ((form & X87Form.PopTwice) != 0)
        {
            PopSt();
        }
    }

    /// <summary>Remembers the instruction for an exception handler: FIP, FOP, and FDP if it has an operand in memory.</summary>
    private void NoteX87(ref MicroOp op)
    {
        _x87Instruction = op.Rip;
        _x87Opcode = (ushort)op.Immediate;
        if (op.Destination == OperandKind.Memory)
        {
            _x87Operand = EffectiveOffset(ref op);
        }
    }

    /// <summary>Takes over the exceptions of an operation; false if one of them leaves it without a result.</summary>
    private bool FinishX87(in FloatEnvironment environment)
    {
        SetCondition1(environment.RoundedUp);
        RaiseX87((int)environment.Raised);
        return !environment.HasNoResult;
    }

    /// <summary>A register that is empty was to be read; true if this is masked, and the result is the default NaN.</summary>
    private bool UnderflowsMasked() => StackFaultMasked(isOverflow: false);

    /// <summary>A register in use was to be pushed over; true if this is masked, and the default NaN is pushed.</summary>
    private bool OverflowsMasked() => StackFaultMasked(isOverflow: true);

    private bool IsInvalidMasked => (_x87Control & (int)FloatExceptions.Invalid) != 0;

    private bool StackFaultMasked(bool isOverflow)
    {
        SetCondition1(isOverflow);
        RaiseX87((int)FloatExceptions.Invalid | X87StackFault);
        return IsInvalidMasked;
    }

    private void RaiseX87(int flags)
    {
        _x87Status |= (ushort)flags;
        UpdateX87Summary();
    }

    private void UpdateX87Summary() => _x87Status = (ushort)((_x87Status & ~_x87Control & X87Exceptions) != 0
        ? _x87Status | X87Summary
        : _x87Status & ~X87Summary);

    private void SetCondition1(bool isSet) =>
        _x87Status = (ushort)(isSet ? _x87Status | Condition1 : _x87Status & ~Condition1);

    /// <summary>Sets C3, C2 and C0, and leaves C1.</summary>
    private void SetConditions(int conditions) =>
        _x87Status = (ushort)((_x87Status & ~(Condition3 | Condition2 | Condition0)) | conditions);
}
