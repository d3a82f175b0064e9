using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Instructions on XMM registers: the same instruction of the host, on the same registers.</summary>
internal sealed partial class RegionEmitter
{
    private const int VectorAlignmentMask = 15;

    private void EmitVector(in MicroOp op, ReadOnlySpan<byte> bytes)
    {
        VectorInstruction instruction = VectorInstruction.Parse(bytes)!.Value;
        Operand operand;
        if (instruction.IsMemory)
        {
            bool isWritten = op.Destination == OperandKind.Memory;
            TranslateOperand(in op, VectorTraits.MemorySize(in op), isWritten ? StateOffsets.WriteTag : StateOffsets.ReadTag);
            if (VectorTraits.IsAligned(in op))
            {
                _a.Emit(1, 0xF6, 0, GuestAddress);
                _a.Byte(VectorAlignmentMask);
                _a.JumpIf(NotEqual, Slow);
            }

            operand = Memory;
        }
        else
        {
            operand = Operand.Of(VectorTraits.HasGeneralOperand(in op)
                ? Read(instruction.OperandRegister, Host.Entry)
                : instruction.OperandRegister);
        }

        bool hasGeneral = VectorTraits.HasGeneralRegister(in op);
        int register = hasGeneral ? Read(instruction.Register, Host.Entry) : instruction.Register;
        _a.Emit(instruction.Prefix, instruction.IsWide, false, instruction.Opcode, register, in operand);
        if (instruction.Immediate is { } immediate)
        {
            _a.Byte(immediate);
        }

        if (hasGeneral)
        {
            Write(instruction.Register, register);
        }
        else if (VectorTraits.GeneralResult(in op) != 0)
        {
            Write(instruction.OperandRegister, operand.Register);
        }

        if (VectorTraits.SetsFlags(in op))
        {
            FlagsAreNew();
        }
    }

    private void ReadVectors()
    {
        for (int i = 0; i < RegisterCount; i++)
        {
            if ((_map.Vectors & (1 << i)) != 0)
            {
                _a.Emit(0, false, false, 0x0F28, i, Operand.State(StateOffsets.Xmm(i)));
            }
        }

        if (_map.UsesFloats)
        {
            LoadMxcsr(StateOffsets.Mxcsr);
        }
    }

    private void WriteVectors()
    {
        for (int i = 0; i < RegisterCount; i++)
        {
            if ((_map.Vectors & (1 << i)) != 0)
            {
                _a.Emit(0, false, false, 0x0F29, i, Operand.State(StateOffsets.Xmm(i)));
            }
        }

        if (_map.UsesFloats)
        {
            StoreMxcsr(StateOffsets.Mxcsr);
            LoadMxcsr(StateOffsets.HostMxcsr);
        }
    }

    /// <summary>What a function on Windows has to leave as it was, and everywhere how the host computes.</summary>
    private void KeepHostVectors(bool restores)
    {
        if (_map.UsesFloats && !restores)
        {
            StoreMxcsr(StateOffsets.HostMxcsr);
        }

        for (int i = FirstPreservedVector; IsWindows && i < RegisterCount; i++)
        {
            if ((_map.Vectors & (1 << i)) != 0)
            {
                _a.Emit(0, false, false, restores ? 0x0F28 : 0x0F29, i, Operand.State(StateOffsets.HostXmm(i - FirstPreservedVector)));
            }
        }
    }

    private void LoadMxcsr(int offset) => _a.Emit(0, false, false, 0x0FAE, 2, Operand.State(offset));

    private void StoreMxcsr(int offset) => _a.Emit(0, false, false, 0x0FAE, 3, Operand.State(offset));
}
