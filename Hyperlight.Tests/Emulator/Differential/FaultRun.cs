using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>Executes code that may raise exceptions on both processors, and compares how it ended.</summary>
internal sealed class FaultRun : IDisposable
{
    private readonly NativeProcessor _native = new();
    private readonly EmulatedProcessor _emulated;
    private readonly byte[] _data = new byte[TestMemory.DataSize];
    private readonly byte[] _island = new byte[TestMemory.IslandSize];

    public FaultRun(Tier tier)
    {
        _emulated = new EmulatedProcessor(tier);
        Placement = new CodePlacement(_native.Exit, _emulated);
    }

    public CodePlacement Placement { get; }

    /// <summary>The address of the memory operand, or 0.</summary>
    public ulong OperandAddress { get; set; }

    public long Executions { get; private set; }

    public long Faults { get; private set; }

    /// <inheritdoc cref="EmulatedProcessor.CodeEntries"/>
    public long CodeEntries => _emulated.CodeEntries;

    /// <summary>How often each exception was raised.</summary>
    public SortedDictionary<int, int> Vectors { get; } = [];

    /// <summary>The memory that instructions write, as the managed machine left it.</summary>
    public Span<byte> ActualData => _emulated.Data;

    /// <summary>The memory that instructions write, as the processor left it.</summary>
    public static Span<byte> ExpectedData => NativeProcessor.Data;

    /// <summary>Chooses the content of the memory.</summary>
    public void Fill(RandomSource random)
    {
        if (random.OneIn(2))
        {
            // Strings are equal for a while.
            byte value = (byte)random.Next();
            _data.AsSpan().Fill(value);
            _island.AsSpan().Fill(value);
        }
        else
        {
            random.Fill(_data);
            random.Fill(_island);
        }
    }

    /// <summary>Clears the bit of MXCSR that only processors of AMD have, by which vectors need not be aligned, where the operand is.</summary>
    public void ClearBitsOfAmd()
    {
        const int BitOfAmd = 17;
        const byte Others = unchecked((byte)~(1 << (BitOfAmd % 8)));
        ulong at = OperandAddress + (BitOfAmd / 8);
        if (at - TestMemory.Data < TestMemory.DataSize)
        {
            _data[at - TestMemory.Data] &= Others;
        }
        else if (at - TestMemory.Island < TestMemory.IslandSize)
        {
            _island[at - TestMemory.Island] &= Others;
        }
    }

    /// <summary>The state in which the managed machine ended.</summary>
    public CpuState ActualState { get; private set; }

    /// <summary>What memory holds before the code is executed.</summary>
    public Span<byte> Operand(ulong address) => _data.AsSpan((int)(address - TestMemory.Data));

    /// <summary>The differences in memory alone.</summary>
    public string? CompareData()
    {
        Instruction none = default;
        CpuState same = default;
        return default(Comparison).Compare(in none, in same, in same, in same, NativeProcessor.Data, _emulated.Data);
    }

    /// <summary>Executes what is placed, and gives the differences if there are any.</summary>
    /// <param name="instruction">The instruction under test.</param>
    /// <param name="input">The state before.</param>
    /// <param name="fault">The exception of the processor.</param>
    /// <param name="from">How many bytes of other code come before the instruction.</param>
    public string? Execute(in Instruction instruction, in CpuState input, out Fault? fault, ulong from = 0)
    {
        _data.CopyTo(_emulated.Data);
        _island.CopyTo(_emulated.Island);
        Fault? actual = _emulated.RunToFault(in input, out CpuState actualState)?.Comparable();
        ActualState = actualState;
        Executions++;

        // Where the machine of this process is a virtual one, its host may show an exception that does not come again.
        string? differences = Compare(in instruction, in input, from, actual, out fault);
        if (differences is not null)
        {
            differences = Compare(in instruction, in input, from, actual, out fault);
        }

        if (fault is { } seen)
        {
            Faults++;
            Vectors[seen.Vector] = Vectors.GetValueOrDefault(seen.Vector) + 1;
        }

        return differences;
    }

    public void Dispose()
    {
        _emulated.Dispose();
        _native.Dispose();
    }

    /// <summary>Executes on the processor, and compares with what the managed machine did.</summary>
    private string? Compare(in Instruction instruction, in CpuState input, ulong from, Fault? actual, out Fault? fault)
    {
        _data.CopyTo(NativeProcessor.Data);
        _island.CopyTo(NativeProcessor.Island);
        Fault? expected = fault = _native.RunToFault(in input, out CpuState expectedState)?.Comparable();
        CpuState actualState = ActualState;
        if (expected != actual && !VendorDifferences.IsOfOtherOperand(in instruction, in actualState, expected, actual))
        {
            return $"  native {Name(expected)}, emulator {Name(actual)}\n";
        }

        // Without an exception only the emulator's RIP is known: it is behind the HLT.
        if (expected is not null && expectedState.Rip != actualState.Rip)
        {
            return $"  native RIP {expectedState.Rip:X}, emulator {actualState.Rip:X}\n";
        }

        CpuState start = input;
        start.Rip += from;
        UndefinedResults undefined = expected is null ? UndefinedResults.Of(in instruction, in input) : default;
        string? differences = new Comparison
        {
            Vendor = NativeVendor.Current,
            Undefined = undefined,
            Fault = expected,
            OperandAddress = OperandAddress,
        }.Compare(in instruction, in start, in expectedState, in actualState, NativeProcessor.Data, _emulated.Data);
        bool isUndefined = undefined.Memory && OperandAddress >= TestMemory.Island - sizeof(ulong);
        return isUndefined || NativeProcessor.Island.SequenceEqual(_emulated.Island)
            ? differences is null ? null : $"  {Name(expected)}\n{differences}"
            : $"  {Name(expected)}\n{differences}  the page behind the data differs\n";
    }

    private static string Name(Fault? fault) => fault?.ToString() ?? "no exception";
}
