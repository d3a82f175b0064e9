namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>How emitted code is entered and left, and how it calls the interpreter.</summary>
internal sealed partial class RegionEmitter
{
    private const int Mov = 0x89;
    private const int MovFrom = 0x8B;
    private const int RegisterCount = 16;

    /// <summary>The first of the XMM registers that a function on Windows has to leave as it was.</summary>
    private const int FirstPreservedVector = 6;

    /// <summary>Bytes that keep the stack aligned, and those that a callee on Windows may use.</summary>
    private const int Alignment = 8;
    private const int ShadowSpace = 32;

    private static readonly bool IsWindows = OperatingSystem.IsWindows();

    /// <summary>The arguments of a function: the state, and where to begin or which instruction to interpret.</summary>
    private static readonly int FirstArgument = IsWindows ? Host.Rcx : Host.Rdi;
    private static readonly int SecondArgument = IsWindows ? Host.Rdx : Host.Rsi;

    /// <summary>What a function has to leave as it was, of what is used here.</summary>
    private static readonly int[] Preserved = IsWindows
        ? [Host.Rbx, Host.Rbp, Host.Rdi, Host.Rsi, Host.Budget, Host.Entry, Host.Address, Host.State]
        : [Host.Rbx, Host.Rbp, Host.Budget, Host.Entry, Host.Address, Host.State];

    /// <summary>A function of two arguments: the state, and the address of the block to begin with.</summary>
    private void EmitEntry()
    {
        foreach (int register in Preserved)
        {
            _a.EmitShort(4, 0x50, register);
        }

        MoveStackPointer(-Alignment);
        _a.Emit(8, Mov, FirstArgument, Operand.Of(Host.State));
        _a.Emit(8, Mov, SecondArgument, Operand.Of(Host.Address));
        _a.Emit(8, MovFrom, Host.Budget, Operand.State(StateOffsets.Remaining));
        _a.Emit(8, MovFrom, Host.Rax, Operand.State(StateOffsets.Flags));
        EmitLinkedEntry();
    }

    private void EmitExit()
    {
        // RIP is in the address, why it is left in the entry.
        _a.Mark(_leave);
        WriteRegisters();
        _a.Emit(8, Mov, Host.Rax, Operand.State(StateOffsets.Flags));
        _a.Emit(8, Mov, Host.Address, Operand.State(StateOffsets.Rip));
        _a.Emit(4, Mov, Host.Entry, Operand.Of(Host.Rax));
        _a.Mark(_leaveWithoutState);
        _a.Emit(8, Mov, Host.Budget, Operand.State(StateOffsets.Remaining));
        KeepHostVectors(restores: true);
        MoveStackPointer(Alignment);
        for (int i = Preserved.Length - 1; i >= 0; i--)
        {
            _a.EmitShort(4, 0x58, Preserved[i]);
        }

        _a.Byte(0xC3);
    }

    /// <summary>
    /// Lets the interpreter execute one instruction: its number is in the address. Returns with the flags saved, and with the
    /// interpreter's answer in the state and compared with zero, which means to go on. Each call returns, also where the region
    /// is left then: a processor with a shadow stack compares the addresses.
    /// </summary>
    private void EmitInterpret()
    {
        int room = Alignment + (IsWindows ? ShadowSpace : 0);
        if (_hasInterpretedSpans)
        {
            // The number of the first instruction is in the entry; the address tells whether the span is in one page.
            _a.Mark(_interpretSpan);
            _a.Emit(8, Mov, Host.Address, Operand.State(StateOffsets.Scratch));
            _a.Emit(4, Mov, Host.Entry, GuestAddress);
            _a.Jump(_interpret);
        }

        _a.Mark(_interpretByte);
        _a.Emit(4, 0x0FB6, Host.Address, GuestAddress);
        _a.Mark(_interpret);
        WriteRegisters();
        _a.Emit(8, Mov, Host.Rax, Operand.State(StateOffsets.Flags));
        _a.Emit(8, Mov, Host.State, Operand.Of(FirstArgument));
        _a.Emit(4, Mov, Host.Address, Operand.Of(SecondArgument));
        MoveStackPointer(-room);
        _a.Emit(4, 0xFF, 2, Operand.State(StateOffsets.Interpret));
        MoveStackPointer(room);
        _a.Emit(4, Mov, Host.Rax, Operand.State(StateOffsets.Exit));
        _a.Emit(4, 0x85, Host.Rax, Operand.Of(Host.Rax));
        _a.Emit(8, MovFrom, Host.Rax, Operand.State(StateOffsets.Flags));
        ReadRegisters();
        _a.Byte(0xC3);
    }

    /// <summary>
    /// Where the region is left after an instruction that the interpreter executed, which leaves in the state how many of its
    /// block come after it. The processor has the rest.
    /// </summary>
    private void EmitLeaveInterpreted()
    {
        _a.Mark(_leaveInterpreted);
        if (_map.UsesFloats)
        {
            LoadMxcsr(StateOffsets.HostMxcsr);
        }

        _a.Emit(8, 0x03, Host.Budget, Operand.State(StateOffsets.Scratch));
        _a.Emit(4, MovFrom, Host.Rax, Operand.State(StateOffsets.Exit));
        _a.Jump(_leaveWithoutState);
    }

    private void ReadRegisters()
    {
        for (int guest = 0; guest < RegisterCount; guest++)
        {
            if (_map[guest] != Operand.None && (_map.Used & (1 << guest)) != 0)
            {
                _a.Emit(8, MovFrom, _map[guest], Operand.State(StateOffsets.Register(guest)));
            }
        }

        ReadVectors();
    }

    private void WriteRegisters()
    {
        for (int guest = 0; guest < RegisterCount; guest++)
        {
            if (_map[guest] != Operand.None && (_map.Written & (1 << guest)) != 0)
            {
                _a.Emit(8, Mov, _map[guest], Operand.State(StateOffsets.Register(guest)));
            }
        }

        WriteVectors();
    }

    private void MoveStackPointer(int bytes) =>
        _a.Emit(8, 0x8D, Host.Rsp, Operand.At(Host.Rsp, bytes));
}
