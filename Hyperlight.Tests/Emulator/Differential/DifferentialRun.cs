using System.Globalization;
using System.Text;
using Iced.Intel;
using Decoder = Iced.Intel.Decoder;
using Encoder = Iced.Intel.Encoder;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>Executes instructions on both processors, and counts and keeps what came out.</summary>
internal sealed class DifferentialRun : IDisposable
{
    private const byte DivideError = 0;
    private const int LongestReport = 20_000;
    private const int MostReports = 12;

    private readonly NativeProcessor _native = new();
    private readonly EmulatedProcessor _emulated;
    private readonly SortedDictionary<string, string> _reports = [];

    public DifferentialRun(Tier tier)
    {
        _emulated = new EmulatedProcessor(tier);
        Placement = new CodePlacement(_native.Exit, _emulated);
    }

    public CodePlacement Placement { get; }

    /// <summary>Instructions that were executed on both.</summary>
    public long Executions { get; private set; }

    /// <inheritdoc cref="EmulatedProcessor.CodeEntries"/>
    public long CodeEntries => _emulated.CodeEntries;

    /// <summary>Divisions that raised the exception they had to.</summary>
    public long DivideErrors { get; private set; }

    /// <summary>What the machine said it does not know.</summary>
    public SortedSet<string> NotImplemented { get; } = new(StringComparer.Ordinal);

    /// <summary>What both executed.</summary>
    public HashSet<Code> Executed { get; } = [];

    public int Mismatches { get; private set; }

    /// <summary>Executes one instruction that is placed already.</summary>
    public void Execute(
        in Instruction instruction, ulong operandAddress, in CpuState input, OperandMemory memory, ulong seed)
    {
        memory.Content.CopyTo(_emulated.Data);
        Outcome outcome = _emulated.Run(in input, out CpuState actual);
        if (outcome == Outcome.NotImplemented)
        {
            NotImplemented.Add(instruction.Code.ToString());
            return;
        }

        if (DivideGuard.Faults(in instruction, in input, operandAddress, memory.Content))
        {
            if (outcome == Outcome.Exception && _emulated.Vector == DivideError)
            {
                DivideErrors++;
            }
            else
            {
                Report(in instruction, in input, in actual, in actual, "  #DE is missing\n", memory, operandAddress, seed);
            }

            return;
        }

        if (outcome != Outcome.Done || actual.Rip != Placement.End + 1)
        {
            string end = outcome == Outcome.Exception ? $"exception {_emulated.Vector}" : _emulated.LastExit.ToString();
            Report(in instruction, in input, in actual, in actual, $"  the emulator ended with {end}\n", memory, operandAddress, seed);
            return;
        }

        // A signal that came in between would find no stack.
        if (!TestMemory.IsStack(actual.General[CpuState.Rsp]))
        {
            return;
        }

        Executions++;
        Executed.Add(instruction.Code);
        string? differences = CompareWithNative(
            in instruction, operandAddress, in input, in actual, memory, out CpuState expected);

        // What a signal wrote below RSP is no difference, and does not happen twice.
        if (differences is not null)
        {
            differences = CompareWithNative(in instruction, operandAddress, in input, in actual, memory, out expected);
        }

        if (differences is not null)
        {
            Report(in instruction, in input, in expected, in actual, differences, memory, operandAddress, seed);
        }
    }

    /// <summary>Executes a block that is placed already.</summary>
    /// <param name="undefined">What is not defined at its end.</param>
    /// <param name="count">Its instructions.</param>
    /// <param name="input">The state at its start.</param>
    /// <param name="memory">The data at its start.</param>
    /// <param name="seed">What to replay it with.</param>
    public void ExecuteBlock(in UndefinedResults undefined, int count, in CpuState input, OperandMemory memory, ulong seed)
    {
        memory.Content.CopyTo(_emulated.Data);
        Outcome outcome = _emulated.Run(in input, out CpuState actual);
        CpuState expected = actual;
        string? differences = outcome == Outcome.Done && actual.Rip == Placement.End + 1
            ? null
            : $"  the emulator ended with {outcome}, vector {_emulated.Vector}, {_emulated.LastExit} at {actual.Rip:X}\n";
        for (int attempt = 0; attempt < 2 && (attempt == 0 || differences is not null) && outcome == Outcome.Done; attempt++)
        {
            memory.Content.CopyTo(NativeProcessor.Data);
            _native.Run(in input, out expected);
            Instruction none = default;
            differences = new Comparison { Undefined = undefined }.Compare(
                in none, in input, in expected, in actual, NativeProcessor.Data, _emulated.Data);
        }

        Executions += count;
        if (differences is not null)
        {
            Report("block", ListBlock, in input, in expected, in actual, differences, memory, 0, seed);
        }
    }

    /// <summary>The instructions of <paramref name="codes"/> that the machine executes, whatever the result.</summary>
    public IReadOnlyList<Code> FindImplemented(IReadOnlyList<Code> codes)
    {
        var random = new RandomSource(0);
        var values = new OperandValues(random);
        var generator = new InstructionGenerator(random, values);
        var memory = new OperandMemory(random, values);
        var candidate = new Candidate();
        List<Code> implemented = [];
        foreach (Code code in codes)
        {
            Placement.Begin(random, 32);
            if (!generator.TryGenerate(code, Placement.Start, candidate))
            {
                continue;
            }

            Encoder.Create(64, Placement).Encode(in candidate.Instruction, Placement.Start);
            Placement.Place();
            CpuState state = default;
            values.Fill(ref state);
            candidate.Apply(ref state);
            state.Rip = Placement.Start;
            memory.Prepare(in candidate.Instruction, candidate.OperandAddress, in state);
            memory.Content.CopyTo(_emulated.Data);
            if (_emulated.Run(in state, out _) == Outcome.NotImplemented)
            {
                NotImplemented.Add(code.ToString());
            }
            else
            {
                implemented.Add(code);
            }
        }

        return implemented;
    }

    /// <summary>Fails with everything that differed.</summary>
    public void AssertEqual()
    {
        if (Mismatches == 0)
        {
            return;
        }

        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Mismatches} differences in {_reports.Count} instructions:\n");
        text.AppendJoin(", ", _reports.Keys).Append('\n');
        foreach (string report in _reports.Values.Take(MostReports))
        {
            text.Append('\n').Append(report);
        }

        Assert.Fail(text.Length > LongestReport ? text.ToString(0, LongestReport) : text.ToString());
    }

    public void Dispose()
    {
        _emulated.Dispose();
        _native.Dispose();
    }

    private string? CompareWithNative(
        in Instruction instruction, ulong operandAddress, in CpuState input, in CpuState actual, OperandMemory memory,
        out CpuState expected)
    {
        memory.Content.CopyTo(NativeProcessor.Data);
        _native.Run(in input, out expected);
        UndefinedResults undefined = UndefinedResults.Of(in instruction, in input);
        var comparison = new Comparison
        {
            Vendor = NativeVendor.Current,
            Undefined = undefined,
            OperandAddress = operandAddress,
            Memory = operandAddress == 0 ? [] : memory.Content[(int)(operandAddress - TestMemory.Data)..],
        };
        return comparison.Compare(
            in instruction, in input, in expected, in actual, NativeProcessor.Data, _emulated.Data);
    }

    private void Report(
        in Instruction instruction, in CpuState input, in CpuState expected, in CpuState actual, string differences,
        OperandMemory memory, ulong operandAddress, ulong seed)
    {
        string listing = $"{instruction}  ({instruction.Code})\n";
        Report(
            instruction.Code.ToString(), () => listing, in input, in expected, in actual, differences, memory, operandAddress, seed);
    }

    private void Report(
        string key, Func<string> listing, in CpuState input, in CpuState expected, in CpuState actual, string differences,
        OperandMemory memory, ulong operandAddress, ulong seed)
    {
        Mismatches++;
        if (_reports.ContainsKey(key))
        {
            return;
        }

        var text = new StringBuilder(listing());
        text.Append(CultureInfo.InvariantCulture, $"bytes {Convert.ToHexString(Placement.Bytes)} at {Placement.Start:X}\n");
        text.Append(CultureInfo.InvariantCulture, $"replay with {TestSettings.SeedVariable}={seed}\n");
        text.Append(differences);
        text.Append("input\n").Append(input.ToString());
        if (operandAddress != 0)
        {
            int offset = (int)(operandAddress - TestMemory.Data);
            int length = Math.Min(32, TestMemory.DataSize - offset);
            text.Append(
                CultureInfo.InvariantCulture,
                $"[{operandAddress:X}] {Convert.ToHexString(memory.Content.Slice(offset, length))}\n");
        }

        text.Append("native\n").Append(expected.ToString()).Append("emulator\n").Append(actual.ToString());
        _reports.Add(key, text.ToString());
    }

    private string ListBlock()
    {
        var text = new StringBuilder();
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(Placement.Bytes.ToArray()), Placement.Start);
        while (decoder.IP < Placement.End)
        {
            Instruction instruction = decoder.Decode();
            text.Append(CultureInfo.InvariantCulture, $"{instruction.IP:X}  {instruction}\n");
        }

        return text.ToString();
    }
}
