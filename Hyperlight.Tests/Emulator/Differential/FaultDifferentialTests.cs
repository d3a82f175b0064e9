using System.Diagnostics;
using System.Globalization;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>
/// Instructions whose operands are where memory ends: before a page that is absent or cannot be written, and at both edges of
/// the canonical addresses. The exception is compared, and everything that the instruction changed before it.
/// </summary>
[TestFixture, NonParallelizable]
internal sealed class FaultDifferentialTests
{
    private const int LongestInstruction = 15;
    private const int States = 12;
    private const int NormalExecutions = 120_000;
    private const int NormalCompiledExecutions = 50_000;
    private const int LongExecutions = 5_000_000;
    private const int MostReports = 12;

    /// <summary>
    /// MOVSXD with 16 bits reads four bytes on processors of AMD. POPF does at CPL 3 other things than at CPL 0. Whether masked stores look at bytes that they do not store is left to the
    /// processor. The others access more than a register holds: processors do a part of it
    /// before the fault, and not always the same part.
    /// </summary>
    private static readonly HashSet<Mnemonic> Excluded =
    [
        Mnemonic.Popf, Mnemonic.Popfq, Mnemonic.Maskmovq, Mnemonic.Maskmovdqu,
        Mnemonic.Fxsave, Mnemonic.Fxsave64, Mnemonic.Fnsave, Mnemonic.Fnstenv, Mnemonic.Fxrstor, Mnemonic.Fxrstor64,
        Mnemonic.Frstor, Mnemonic.Fldenv,
    ];

    [Test, CancelAfter(300_000)]
    public void Faults_are_those_of_the_processor([Values] Tier tier)
    {
        NativeProcessor.Require();
        ulong seed = TestSettings.ChooseSeed(out bool isReplay);
        long wanted = TestSettings.Count ?? (isReplay ? 1 : TestSettings.IsLong ? LongExecutions
            : tier != Tier.Interpreter ? NormalCompiledExecutions : NormalExecutions);
        Code[] codes = [.. TestedInstructions.All.Where(UsesMemory)];
        long start = Stopwatch.GetTimestamp();
        using var run = new FaultRun(tier);
        SortedDictionary<string, string> reports = [];
        var random = new RandomSource(seed);
        var values = new OperandValues(random) { Addresses = alignment => NearAnEnd(random, alignment) };
        var generator = new InstructionGenerator(random, values) { MayAccess = MayAccess };
        var candidate = new Candidate();
        var encoder = Encoder.Create(64, run.Placement);
        for (long executions = 0; executions < wanted; seed++)
        {
            executions += States;
            random.Restart(seed);
            run.Placement.Begin(random, 2 * LongestInstruction);
            Code code = codes[(int)(seed % (ulong)codes.Length)];
            if (!generator.TryGenerate(code, run.Placement.Start, candidate))
            {
                continue;
            }

            if (IsTwoAccesses(code, candidate.OperandAddress))
            {
                continue;
            }

            run.OperandAddress = candidate.OperandAddress;
            encoder.Encode(in candidate.Instruction, run.Placement.Start);
            run.Placement.Place();
            for (int i = 0; i < States; i++)
            {
                CpuState state = default;
                values.Fill(ref state);
                candidate.Apply(ref state);
                state.Rip = run.Placement.Start;
                run.Fill(random);
                if (code == Code.Ldmxcsr_m32)
                {
                    run.ClearBitsOfAmd();
                }

                if (run.Execute(in candidate.Instruction, in state, out _) is { } differences)
                {
                    reports.TryAdd(code.ToString(), string.Create(
                        CultureInfo.InvariantCulture,
                        $"{candidate.Instruction} ({Convert.ToHexString(run.Placement.Bytes)}), {TestSettings.SeedVariable}={seed}\n{differences}input\n{state}\n"));
                }
            }
        }

        TestContext.Out.WriteLine(
            $"{tier}: {run.Executions} executions, {run.Faults} faults ({string.Join(", ", run.Vectors.Select(v => $"{v.Value} of #{v.Key}"))}), "
            + $"{run.CodeEntries} entries of emitted code, {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        Assert.That(reports, Is.Empty, () => $"{reports.Count}: {string.Join(' ', reports.Keys)}\n"
            + string.Join('\n', reports.Values.Take(MostReports)));
        Assert.That(run.CodeEntries, tier == Tier.Machine && !isReplay ? Is.Positive : Is.GreaterThanOrEqualTo(0));
    }

    /// <summary>
    /// Ten bytes over the end of the canonical addresses are eight and two for processors of AMD: where the eight are absent, the
    /// page fault comes before the general protection of the two.
    /// </summary>
    private static bool IsTwoAccesses(Code code, ulong address)
    {
        const ulong end = 0x8000_0000_0000;
        return code is (Code.Fld_m80fp or Code.Fstp_m80fp or Code.Fbld_m80bcd or Code.Fbstp_m80bcd) && address < end && address + 10 > end;
    }

    private static bool UsesMemory(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        if (Excluded.Contains(info.Mnemonic) || code == Code.Movsxd_r16_rm16)
        {
            return false;
        }

        bool isMemory = new Instruction { Code = code }.IsStackInstruction;
        for (int i = 0; i < info.OpCount; i++)
        {
            isMemory |= info.GetOpKind(i) is OpCodeOperandKind.mem_offs or OpCodeOperandKind.mem or OpCodeOperandKind.seg_rSI
                or OpCodeOperandKind.es_rDI or OpCodeOperandKind.seg_rDI or OpCodeOperandKind.seg_rBX_al
                or (>= OpCodeOperandKind.r8_or_mem and <= OpCodeOperandKind.xmm_or_mem);
        }

        return isMemory;
    }

    /// <summary>An address that is often a few bytes before or behind the end of something.</summary>
    private static ulong NearAnEnd(RandomSource random, int alignment)
    {
        ulong end = random.Below(12) switch
        {
            0 or 1 or 2 => TestMemory.Absent,
            3 or 4 => TestMemory.ReadOnly,
            5 => TestMemory.Island,
            6 => TestMemory.IslandEnd,
            7 => 0x8000_0000_0000,
            8 => 0xFFFF_8000_0000_0000,
            9 => random.Next() | 0x8000_0000_0000_0000,
            _ => TestMemory.Middle,
        };
        return (end + (ulong)(random.OneIn(8) ? random.Between(-100, 40) : random.Between(-18, 4))) & (ulong)-alignment;
    }

    /// <summary>The memory of the test, and what no process has.</summary>
    private static bool MayAccess(ulong address, int size)
    {
        const ulong NoMemory = 0x7FFF_FFFF_F000;
        return (address >= TestMemory.Data - 0x1000 && address + (ulong)size <= TestMemory.IslandEnd + 0x1000)
            || (address >= NoMemory && address < 0xFFFF_8000_0001_0000) || address is > 0xFFFF_9000_0000_0000 and < 0xFFFF_F000_0000_0000;
    }
}
