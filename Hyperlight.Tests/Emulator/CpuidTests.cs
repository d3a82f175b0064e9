using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Machine;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>What CPUID reports is there, and what it does not report is not.</summary>
[TestFixture]
internal sealed class CpuidTests
{
    private const int Ebx = 1;
    private const int Ecx = 2;
    private const int Edx = 3;
    private const ulong Cr4ExtendedStates = 1 << 18;
    private const ulong Data = SystemGuest.Data;

    private static IEnumerable<TestCaseData> Features()
    {
        yield return Case("FPU", 1, Edx, 0, c => c.fld1());
        yield return Case("TSC", 1, Edx, 4, c => c.rdtsc());
        yield return Case("CX8", 1, Edx, 8, c => c.cmpxchg8b(__[Data]));
        yield return Case("SEP", 1, Edx, 11, c => c.sysenter());
        yield return Case("CMOV", 1, Edx, 15, c => c.cmovz(eax, ebx));
        yield return Case("CLFSH", 1, Edx, 19, c => c.clflush(__[Data]));
        yield return Case("MMX", 1, Edx, 23, c => c.paddb(mm0, mm1));
        yield return Case("FXSR", 1, Edx, 24, c => c.fxsave(__[Data]));
        yield return Case("SSE", 1, Edx, 25, c => c.addps(xmm0, xmm1));
        yield return Case("SSE2", 1, Edx, 26, c => c.addpd(xmm0, xmm1));
        yield return Case("SSE3", 1, Ecx, 0, c => c.haddps(xmm0, xmm1));
        yield return Case("PCLMULQDQ", 1, Ecx, 1, c => c.pclmulqdq(xmm0, xmm1, 0));
        yield return Case("MONITOR", 1, Ecx, 3, c => c.monitor());
        yield return Case("SSSE3", 1, Ecx, 9, c => c.pshufb(xmm0, xmm1));
        yield return Case("FMA", 1, Ecx, 12, c => c.vfmadd132ps(xmm0, xmm1, xmm2));
        yield return Case("CX16", 1, Ecx, 13, c => c.cmpxchg16b(__[Data]));
        yield return Case("SSE4.1", 1, Ecx, 19, c => c.pmulld(xmm0, xmm1));
        yield return Case("SSE4.2", 1, Ecx, 20, c => c.pcmpgtq(xmm0, xmm1));
        yield return Case("MOVBE", 1, Ecx, 22, c => c.movbe(eax, __[Data]));
        yield return Case("POPCNT", 1, Ecx, 23, c => c.popcnt(eax, ebx));
        yield return Case("AES", 1, Ecx, 25, c => c.aesenc(xmm0, xmm1));
        yield return Case("XSAVE", 1, Ecx, 26, c => { c.xor(ecx, ecx); c.xgetbv(); });
        yield return Case("AVX", 1, Ecx, 28, c => c.vaddps(xmm0, xmm1, xmm2));
        yield return Case("F16C", 1, Ecx, 29, c => c.vcvtph2ps(xmm0, xmm1));
        yield return Case("RDRAND", 1, Ecx, 30, c => c.rdrand(eax));
        yield return Case("FSGSBASE", 7, Ebx, 0, c => c.rdfsbase(rax));
        yield return Case("BMI1", 7, Ebx, 3, c => c.andn(eax, ebx, ecx));
        yield return Case("AVX2", 7, Ebx, 5, c => c.vpaddb(ymm0, ymm1, ymm2));
        yield return Case("BMI2", 7, Ebx, 8, c => c.pext(eax, ebx, ecx));
        yield return Case("INVPCID", 7, Ebx, 10, c => c.invpcid(rax, __[Data]));
        yield return Case("RDSEED", 7, Ebx, 18, c => c.rdseed(eax));
        yield return Case("ADX", 7, Ebx, 19, c => c.adcx(eax, ebx));
        yield return Case("SMAP", 7, Ebx, 20, c => c.clac());
        yield return Case("CLFLUSHOPT", 7, Ebx, 23, c => c.clflushopt(__[Data]));
        yield return Case("CLWB", 7, Ebx, 24, c => c.clwb(__[Data]));
        yield return Case("SHA", 7, Ebx, 29, c => c.sha1msg1(xmm0, xmm1));
        yield return Case("PKU", 7, Ecx, 3, c => { c.xor(ecx, ecx); c.rdpkru(); });
        yield return Case("GFNI", 7, Ecx, 8, c => c.gf2p8mulb(xmm0, xmm1));
        yield return Case("RDPID", 7, Ecx, 22, c => c.rdpid(rax));
        yield return Case("LAHF", 0x8000_0001, Ecx, 0, c => c.lahf());
        yield return Case("SVM", 0x8000_0001, Ecx, 2, c => c.vmmcall());
        yield return Case("SSE4A", 0x8000_0001, Ecx, 6, c => c.extrq(xmm0, xmm1));
        yield return Case("SYSCALL", 0x8000_0001, Edx, 11, c => c.syscall());
        yield return Case("RDTSCP", 0x8000_0001, Edx, 27, c => c.rdtscp());
        yield return Case("3DNow", 0x8000_0001, Edx, 31, c => c.pfadd(mm0, mm1));
        yield return Case("VMX", 1, Ecx, 5, c => c.vmcall());

        static TestCaseData Case(string name, uint leaf, int register, int bit, Action<Assembler> code) =>
            new TestCaseData(leaf, register, bit, code).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Features))]
    public void An_instruction_exists_if_and_only_if_it_is_reported(uint leaf, int register, int bit, Action<Assembler> code)
    {
        bool isReported = (Read(leaf, register) >> bit & 1) != 0;
        ulong extendedStates = (Read(1, Ecx) >> 26 & 1) != 0 ? Cr4ExtendedStates : 0;
        using var guest = new SystemGuest(new EmulatorHypervisor());
        guest.Special = guest.Special with { Cr4 = 0x1_0620 | extendedStates };
        guest.Machine.SetMsrs([new ModelSpecificRegister(0xC000_0082, SystemGuest.FurtherCode)]);
        guest.Place(SystemGuest.FurtherCode, (c, _) => c.hlt());

        VmExit exit = guest.RunKernel((c, at) => { at.Here(); code(c); c.hlt(); });

        if (isReported)
        {
            Assert.That(exit, Is.EqualTo(VmExit.Halt));
        }
        else
        {
            Assert.That(exit.Reason, Is.AnyOf(VmExitReason.IoOut, VmExitReason.EmulationFailure));
            Assert.That(guest.Events.Select(e => e.Vector), Is.All.EqualTo(6));
        }
    }

    [Test]
    public void A_seed_gives_the_same_random_numbers_again()
    {
        ulong first = Random(7);
        ulong unseeded = Random(null);

        Assert.That(Random(7), Is.EqualTo(first));
        Assert.That(Random(8), Is.Not.EqualTo(first));
        Assert.That(Random(null), Is.Not.EqualTo(unseeded));
    }

    /// <summary>With a seed it counts instructions, some of which take longer than others.</summary>
    [TestCase(null, ExpectedResult = 1 << 8)]
    [TestCase(7UL, ExpectedResult = 0)]
    public int The_counter_is_invariant_unless_there_is_a_seed(ulong? seed) => (int)Read(0x8000_0007, Edx, seed);

    private static ulong Random(ulong? seed)
    {
        using var guest = new SystemGuest(new EmulatorHypervisor(new EmulatorOptions { RandomSeed = seed }));
        guest.RunKernel((c, _) => { c.rdrand(rax); c.rdseed(rbx); c.xor(rax, rbx); c.hlt(); });
        return guest.Machine.GetGeneralRegisters().Rax;
    }

    private static ulong Read(uint leaf, int register, ulong? seed = null)
    {
        using var guest = new SystemGuest(new EmulatorHypervisor(new EmulatorOptions { RandomSeed = seed }));
        guest.RunKernel((c, _) => { c.mov(eax, leaf); c.xor(ecx, ecx); c.cpuid(); c.hlt(); });
        GeneralRegisters result = guest.Machine.GetGeneralRegisters();
        return register switch { Ebx => result.Rbx, Ecx => result.Rcx, _ => result.Rdx };
    }
}
