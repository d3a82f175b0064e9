namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>
/// Where things are. The host process and the guest have them at the same linear addresses, so that every instruction
/// computes the same addresses in both; the memory behind them is separate.
/// </summary>
internal static class TestMemory
{
    /// <summary>
    /// Below 2 GiB, so that absolute and 32-bit addresses reach it; programs that are loaded anywhere and their maps are far above.
    /// </summary>
    public const ulong Base = 0x3000_0000;
    public const int Size = 0x40000;

    /// <summary>Instructions under test.</summary>
    public const ulong Code = Base + 0x1000;
    public const int CodeSize = 0x4000;

    /// <summary>The trampoline and the states it loads and stores: only in the host.</summary>
    public const ulong Trampoline = Base + 0x6000;
    public const ulong TrampolineState = Base + 0x8000;

    /// <summary>Below the data, for the signals that the host process may get while RSP points into the data.</summary>
    public const ulong SignalStack = Base + 0x10000;

    /// <summary>What instructions read and write.</summary>
    public const ulong Data = Base + 0x20000;
    public const int DataSize = 0x2000;

    /// <summary>Operands are near the middle, which is the border of two pages, so that offsets stay inside.</summary>
    public const ulong Middle = Data + (DataSize / 2);
    public const int OperandReach = 0x400;

    /// <summary>Behind the data: a page that is not there, one that cannot be written, one that can, and none after it.</summary>
    public const ulong Absent = Data + DataSize;
    public const ulong ReadOnly = Absent + 0x1000;
    public const ulong Island = ReadOnly + 0x1000;
    public const int IslandSize = 0x1000;
    public const ulong IslandEnd = Island + IslandSize;

    /// <summary>Where GS begins in both. FS is the host's own.</summary>
    public const ulong GsBase = 0x12340;

    /// <summary>The handlers of exceptions, one HLT each, and the tables that lead to them: only in the guest.</summary>
    public const ulong Handlers = Base + 0x30000;
    public const ulong Gdt = Base + 0x31000;
    public const ulong Idt = Base + 0x32000;
    public const ulong Tss = Base + 0x33000;
    public const ulong HandlerStackTop = Base + 0x36000;

    /// <summary>Whether an access stays in the data.</summary>
    public static bool IsData(ulong address, int size) => address >= Data && address - Data <= (ulong)(DataSize - size);

    /// <summary>Whether RSP leaves room for a signal below it.</summary>
    public static bool IsStack(ulong rsp) => rsp > SignalStack + 0xC000 && rsp <= Data + DataSize;
}
