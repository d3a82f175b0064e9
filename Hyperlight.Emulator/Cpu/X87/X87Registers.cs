using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;
using static Hyperlight.Emulator.Cpu.ControlBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The state of the x87, its stack, and its exceptions.</summary>
internal readonly unsafe struct X87Registers(ProcessorState* state)
{
    /// <summary>
    /// An exception that is not masked waits for the next instruction. Without CR0.NE it would be an external interrupt,
    /// which this machine has not: as with IGNNE# asserted, nothing happens then.
    /// </summary>
    public bool IsMathFaultPending =>
        (state->X87.Status & ~state->X87.Control & Exceptions) != 0 && (state->Control.Cr0 & Cr0NumericError) != 0;
    public const int Exceptions = 0x3F;
    private const int StackFault = 0x40;
    private const int Summary = 0x8080;
    public const int Condition0 = 0x100;
    private const int Condition1 = 0x200;
    public const int Condition2 = 0x400;
    public const int Condition3 = 0x4000;
    private const int TopShift = 11;

    public int Top
    {
        get => (state->X87.Status >> TopShift) & 7;
        set => state->X87.Status = (ushort)((state->X87.Status & ~(7 << TopShift)) | ((value & 7) << TopShift));
    }

    public FloatEnvironment Environment() => new()
    {
        Rounding = (RoundingMode)((state->X87.Control >> 10) & 3),
        Precision = (byte)(((state->X87.Control >> 8) & 3) switch { 0 => 24, 2 => 53, _ => 64 }),
        Masked = (FloatExceptions)(state->X87.Control & Exceptions),
    };

    public bool IsEmpty(int index) => ((state->X87.Used >> ((Top + index) & 7)) & 1) == 0;

    public Float80 St(int index) => state->X87.Registers[(Top + index) & 7];

    public void SetSt(int index, Float80 value)
    {
        int register = (Top + index) & 7;
        state->X87.Registers[register] = value;
        state->X87.Used |= (byte)(1 << register);
    }

    public void FreeSt(int index) => state->X87.Used &= (byte)~(1 << ((Top + index) & 7));

    public void PushSt(Float80 value)
    {
        Top--;
        SetSt(0, value);
    }

    public void PopSt()
    {
        FreeSt(0);
        Top++;
    }

    public void PopSt(X87Form form)
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
    public void Note(ref MicroOp op)
    {
        state->X87.Instruction = op.Rip;
        state->X87.Opcode = (ushort)op.Immediate;
        if (op.Destination == OperandKind.Memory)
        {
            state->X87.Operand = Operands.EffectiveOffset(new RegisterFile(state), ref op);
        }
    }

    /// <summary>Takes over the exceptions of an operation; false if one of them leaves it without a result.</summary>
    public bool Finish(in FloatEnvironment environment)
    {
        SetCondition1(environment.RoundedUp);
        Raise((int)environment.Raised);
        return !environment.HasNoResult;
    }

    /// <summary>A register that is empty was to be read; true if this is masked, and the result is the default NaN.</summary>
    public bool UnderflowsMasked() => StackFaultMasked(isOverflow: false);

    /// <summary>A register in use was to be pushed over; true if this is masked, and the default NaN is pushed.</summary>
    public bool OverflowsMasked() => StackFaultMasked(isOverflow: true);

    private bool IsInvalidMasked => (state->X87.Control & (int)FloatExceptions.Invalid) != 0;

    private bool StackFaultMasked(bool isOverflow)
    {
        SetCondition1(isOverflow);
        Raise((int)FloatExceptions.Invalid | StackFault);
        return IsInvalidMasked;
    }

    private void Raise(int flags)
    {
        state->X87.Status |= (ushort)flags;
        UpdateSummary();
    }

    public void UpdateSummary() => state->X87.Status = (ushort)((state->X87.Status & ~state->X87.Control & Exceptions) != 0
        ? state->X87.Status | Summary
        : state->X87.Status & ~Summary);

    public void SetCondition1(bool isSet) =>
        state->X87.Status = (ushort)(isSet ? state->X87.Status | Condition1 : state->X87.Status & ~Condition1);

    /// <summary>Sets C3, C2 and C0, and leaves C1.</summary>
    public void SetConditions(int conditions) =>
        state->X87.Status = (ushort)((state->X87.Status & ~(Condition3 | Condition2 | Condition0)) | conditions);

    /// <summary>FNINIT: all but the values in the registers.</summary>
    public void Initialize()
    {
        state->X87.Control = FpuRegisters.ControlWordReset;
        state->X87.Status = 0;
        state->X87.Used = 0;
        state->X87.Opcode = 0;
        state->X87.Instruction = 0;
        state->X87.Operand = 0;
    }
}
