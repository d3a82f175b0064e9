using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Assembler = Iced.Intel.Assembler;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>
/// Loops that become machine code and whose last turn is one that such code leaves to the interpreter: the guest ends in the
/// same state as where everything is interpreted, and the host goes on as it was.
/// </summary>
[TestFixture]
internal sealed class RareCaseTests
{
    private const ulong Data = LongModeGuest.DataAddress;
    private const ulong NotCanonical = 1UL << 63;

    /// <summary>Another page, whose address has the lower 32 bits of <see cref="Data"/>.</summary>
    private const ulong HighAddress = Data | (1UL << 32);
    private const ulong HighMemory = 0x20_0000;
    private const ulong HighDirectory = 0x6000;
    private const int PageDirectoryPointers = 0x2000;
    private const int Turns = 40;
    private const uint Masked = 0x1F80;
    private const uint DivisionUnmasked = 0x1D80;
    private const uint RoundedUp = 0x5F80;
    private const uint FsBase = 0xC000_0100;
    private const uint Cr0 = 0x8005_0033;
    private const uint TaskSwitched = 8;

    [SetUp]
    public void Require() => EmittingHost.Require();

    [TestCaseSource(nameof(Loops))]
    public void A_rare_case_of_hot_code_is_that_of_the_interpreter(Loop loop)
    {
        (VmExit Exit, GeneralRegisters General, ulong Cr2, long Count, byte[] Xsave)[] ends = [.. new EmulatorOptions[]
        {
            new() { TranslateHotCode = false },
            new() { Tier = CodeTier.Machine, HotThreshold = 2, VerifiesEmittedCode = true },
        }.Select(options => Run(options, loop))];

        Assert.That(ends[0].Count, Is.GreaterThan(3 * Turns), "the rare case is in the last turn");
        Assert.That(ends[1].Exit, Is.EqualTo(ends[0].Exit));
        Assert.That(ends[1].General, Is.EqualTo(ends[0].General));
        Assert.That((ends[1].Cr2, ends[1].Count), Is.EqualTo((ends[0].Cr2, ends[0].Count)));
        Assert.That(ends[1].Xsave, Is.EqualTo(ends[0].Xsave));
    }

    /// <summary>The second leaves the code by an instruction that the interpreter executes.</summary>
    [TestCase(Data)]
    [TestCase(LongModeGuest.UnmappedAddress)]
    public void The_host_rounds_as_before_once_a_guest_has_rounded_in_its_own_way(ulong last)
    {
        double before = Divide(1, 3);

        Run(new() { Tier = CodeTier.Machine, HotThreshold = 2 }, new Loop("rounding", Data, last, c => { c.divsd(xmm1, xmm2); c.add(rax, __[rbx]); }, c =>
        {
            c.ldmxcsr(__[Data + 8]);
            LoadNumbers(c);
        }));

        Assert.That(Divide(1, 3), Is.EqualTo(before));
        Assert.That(Divide(-1, 3), Is.EqualTo(-before));
    }

    /// <summary>No branch of the loop names an earlier place: the return and the jump get it from the guest.</summary>
    [Test]
    [EndsWithin(300)]
    public void A_loop_that_goes_round_by_computed_addresses_is_cancelled([Values] bool byReturn)
    {
        using var guest = new LongModeGuest(new EmulatorHypervisor(new EmulatorOptions { Tier = CodeTier.Machine, HotThreshold = 2 }), c =>
        {
            Label function = c.CreateLabel();
            Label again = c.CreateLabel();
            c.lea(rax, __[again]);
            if (byReturn)
            {
                c.call(function);
            }

            c.Label(ref again);
            c.inc(rbx);
            if (byReturn)
            {
                c.push(rax);
                c.Label(ref function);
                c.ret();
            }
            else
            {
                c.jmp(rax);
            }
        });

        EndlessGuest.Run(guest.Machine);
    }

    private static IEnumerable<TestCaseData> Loops()
    {
        Loop[] loops =
        [
            new("a load from no memory", Data, LongModeGuest.UnmappedAddress, c => { c.inc(r14); c.add(rax, __[rbx]); c.inc(r15); }),
            new("a store over the end of memory", Data, 0xFFFC, c => { c.inc(r14); c.mov(__[rbx], r14); c.inc(r15); }),
            new("an unsigned division by zero", 3, 0, c => { c.mov(eax, 100); c.xor(edx, edx); c.div(ebx); c.add(r14, rax); }),
            new("a signed division by zero", 3, 0, c => { c.mov(eax, 100); c.cdq(); c.idiv(ebx); c.add(r14, rax); }),
            new("a quotient that does not fit", 7, 5, c => { c.mov(edx, 5); c.mov(eax, 1); c.div(ebx); c.add(r14, rax); }),
            new("the least number by minus one", 3, ulong.MaxValue, c => { c.mov(eax, 0x8000_0000); c.cdq(); c.idiv(ebx); c.add(r14, rax); }),
            new("a wide division of the least number by minus one", 3, ulong.MaxValue, c =>
            {
                c.mov(rax, 1UL << 63);
                c.cqo();
                c.idiv(rbx);
                c.add(r14, rax);
            }),
            new("a scan of nothing", 8, 0, c => { c.mov(edi, 77); c.bsf(edi, ebx); c.sete(r8b); c.bsr(rdi, rbx); c.sete(r9b); }),
            new("a shift by nothing", 3, 0, c =>
            {
                c.mov(ecx, ebx);
                c.mov(eax, 0x8000_0001);
                c.stc();
                c.shl(eax, cl);
                c.setc(r8b);
                c.stc();
                c.sar(rdi, cl);
                c.adc(r14, 0);
            }),
            new("a vector that is not aligned", Data, Data + 8, c => { c.inc(r14); c.movaps(xmm0, __[rbx]); c.inc(r15); }),
            new("a store of a vector that is not aligned", Data, Data + 8, c => { c.inc(r14); c.movdqa(__[rbx], xmm0); c.inc(r15); }),
            new("a jump to no address", 0, NotCanonical, c =>
            {
                Label next = c.CreateLabel();
                c.lea(r9, __[next]);
                c.or(r9, rbx);
                c.jmp(r9);
                c.Label(ref next);
                c.inc(r14);
            }),
            new("a return to no address", 0, NotCanonical, c =>
            {
                Label function = c.CreateLabel();
                Label next = c.CreateLabel();
                c.call(function);
                c.jmp(next);
                c.Label(ref function);
                c.or(__[rsp], rbx);
                c.ret();
                c.Label(ref next);
                c.inc(r14);
            }),
            new("a difference over the end of a page", Data, Data + 0xFFE, c => { c.sub(__dword_ptr[rbx], 1); c.adc(r14, 0); }),

            // What is at the whole address, or without the segment, is read too, so that its translation is at hand.
            new("an address of 32 bits", HighAddress, HighAddress + 8, c =>
            {
                c.add(r8, __[rbx]);
                c.add(eax, __dword_ptr[ebx]);
                c.movups(xmm3, __xmmword_ptr[ebx]);
            }),
            new("a segment with a base", 0, 8, c => { c.add(r8, __[rbx]); c.add(rax, __qword_ptr.fs[rbx]); c.movups(xmm3, __xmmword_ptr.fs[rbx]); }, c =>
            {
                c.mov(ecx, FsBase);
                c.mov(eax, (uint)Data);
                c.xor(edx, edx);
                c.wrmsr();
            }),
            new("a float by zero, masked", 3, 0, c => { c.cvtsi2sd(xmm2, ebx); c.movsd(xmm0, xmm1); c.divsd(xmm0, xmm2); }, LoadNumbers),
            new("a float by zero, unmasked", 3, 0, c => { c.cvtsi2sd(xmm2, ebx); c.movsd(xmm0, xmm1); c.divsd(xmm0, xmm2); }, c =>
            {
                LoadNumbers(c);
                c.ldmxcsr(__[Data + 4]);
            }),
            new("a float by zero, unmasked in the last turn", Data, Data + 4, c =>
            {
                c.movsd(xmm0, xmm1);
                c.divsd(xmm0, xmm2);
                c.xorps(xmm3, xmm3);
                c.ldmxcsr(__[rbx]);
                c.divsd(xmm0, xmm3);
            }, LoadNumbers),
            new("an inexact float in the last turn", 1, 3, c => { c.cvtsi2sd(xmm2, ebx); c.movsd(xmm0, xmm1); c.divsd(xmm0, xmm2); }, LoadNumbers),
            new("a float that is rounded up", 1, 3, c => { c.cvtsi2sd(xmm2, ebx); c.movsd(xmm0, xmm1); c.divsd(xmm0, xmm2); }, c =>
            {
                LoadNumbers(c);
                c.ldmxcsr(__[Data + 8]);
            }),
            new("vectors that are switched off", Cr0, Cr0 | TaskSwitched, c =>
            {
                // The block behind MOV to CR0 is interpreted in any case.
                Label next = c.CreateLabel();
                c.mov(cr0, rbx);
                c.jmp(next);
                c.Label(ref next);
                c.inc(r14);
                c.paddd(xmm0, xmm1);
                c.inc(r15);
            }),
            new("floats in an order", 3, 0, c =>
            {
                c.cvtsi2sd(xmm2, ebx);
                c.ucomisd(xmm1, xmm2);
                c.seta(r8b);
                c.adc(r14, 0);
            }, LoadNumbers),
            new("vectors in general registers", 5, ulong.MaxValue, c => { c.movq(xmm2, rbx); c.movq(rax, xmm2); c.add(r14, rax); c.pmovmskb(r9d, xmm2); }),
            new("a call through memory", 0, 1, c =>
            {
                Label function = c.CreateLabel();
                Label next = c.CreateLabel();
                c.lea(r9, __[function]);
                c.mov(__[Data + 0x40], r9);
                c.call(__qword_ptr[Data + 0x40]);
                c.jmp(next);
                c.Label(ref function);
                c.add(r14, rbx);
                c.ret();
                c.Label(ref next);
                c.inc(r15);
            }),
        ];
        return loops.Select(static loop => new TestCaseData(loop).SetArgDisplayNames(loop.Name));
    }

    /// <summary>One in XMM1, three in XMM2.</summary>
    private static void LoadNumbers(Assembler c)
    {
        c.mov(eax, 1);
        c.cvtsi2sd(xmm1, eax);
        c.mov(eax, 3);
        c.cvtsi2sd(xmm2, eax);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Divide(double a, double b) => a / b;

    private static (VmExit Exit, GeneralRegisters General, ulong Cr2, long Count, byte[] Xsave) Run(EmulatorOptions options, Loop loop)
    {
        using var guest = new LongModeGuest(new EmulatorHypervisor(options), c =>
        {
            Label again = c.CreateLabel();
            loop.Before?.Invoke(c);
            c.mov(r12, loop.Ordinary);
            c.mov(r13, loop.Last);
            c.mov(esi, Turns);
            c.Label(ref again);
            c.mov(rbx, r12);
            c.cmp(esi, 1);
            c.cmove(rbx, r13);
            loop.Body(c);
            c.dec(esi);
            c.jne(again);
            c.hlt();
        });
        using var high = new ManagedMemoryRegion(0x1_0000);
        guest.Machine.MapMemory(1, GuestMapping.Whole(HighMemory, high, MemoryFlags.Read));
        BinaryPrimitives.WriteUInt64LittleEndian(guest.Memory.GetSpan(PageDirectoryPointers + (4 * 8), 8), HighDirectory | 3);
        BinaryPrimitives.WriteUInt64LittleEndian(guest.Memory.GetSpan((nuint)HighDirectory, 8), HighMemory | 0x83);
        Span<byte> data = guest.Memory.GetSpan((nuint)Data, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(data, Masked);
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], DivisionUnmasked);
        BinaryPrimitives.WriteUInt32LittleEndian(data[8..], RoundedUp);
        VmExit exit = guest.Machine.Run();
        byte[] xsave = new byte[guest.Machine.XsaveSize];
        guest.Machine.GetXsave(xsave);
        return (exit, guest.Machine.GetGeneralRegisters(), guest.Machine.GetSpecialRegisters().Cr2, ((IInstructionCounter)guest.Machine).InstructionCount, xsave);
    }

    /// <summary>A loop with a value in RBX, which in the last turn is another.</summary>
    internal sealed record Loop(string Name, ulong Ordinary, ulong Last, Action<Assembler> Body, Action<Assembler>? Before = null);
}
