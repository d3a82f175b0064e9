using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>
/// Code that a guest executes at CPL 0 and that leaves something behind in the processor: an event that waits, an access that
/// is not finished, registers that only an instruction can change. Each ends with an exit.
/// </summary>
/// <param name="Name">What it leaves.</param>
/// <param name="Code">The code.</param>
internal sealed record UnfinishedCode(string Name, Action<Assembler> Code)
{
    /// <summary>Memory that is not there, and that the guest has mapped where it is not.</summary>
    public const ulong Missing = 0x4000_0000;

    private const ushort UnknownPort = 0x1234;
    private const uint TrapFlag = 0x100;
    private const uint Plant = 0x5A17_AB1E;

    /// <summary>All of them.</summary>
    public static IEnumerable<UnfinishedCode> All => Events.Concat(Registers).Concat(Accesses);

    private static IEnumerable<UnfinishedCode> Events =>
    [
        new("interrupt shadow of MOV SS", c => { c.mov(ecx, ss); c.mov(edx, UnknownPort); c.mov(ss, ecx); c.@out(dx, eax); }),
        new("interrupt shadow of STI", c => { c.mov(edx, UnknownPort); c.sti(); c.@out(dx, eax); }),
        new("single step behind OUT", c => { c.mov(edx, UnknownPort); SetFlags(c, TrapFlag); c.@out(dx, eax); }),
        new("single step behind IN", c => { c.mov(edx, UnknownPort); SetFlags(c, TrapFlag); c.@in(eax, dx); }),
        new("single step behind a read", c => { c.mov(rsi, Missing); SetFlags(c, TrapFlag); c.mov(rax, __[rsi]); }),
        new("single step behind a shadow", c =>
        {
            c.mov(edx, UnknownPort);
            c.mov(ecx, ss);
            SetFlags(c, TrapFlag);
            c.mov(ss, ecx);
            c.@out(dx, eax);
        }),
        new("data breakpoint behind a shadow", c =>
        {
            c.mov(edx, UnknownPort);
            c.mov(__word_ptr[rsp - 16], ss);
            c.lea(rax, __[rsp - 16]);
            c.mov(dr0, rax);
            c.mov(eax, 0x1_0401 | (3 << 16));
            c.mov(dr7, rax);
            c.mov(ss, __word_ptr[rsp - 16]);
            c.@out(dx, eax);
        }),
        new("breakpoint on the next OUT", c =>
        {
            Label target = c.CreateLabel();
            c.mov(edx, UnknownPort);
            c.lea(rax, __[target]);
            c.mov(dr1, rax);
            c.mov(eax, 0x404);
            c.mov(dr7, rax);
            c.Label(ref target);
            c.@out(dx, eax);
        }),
        new("exception through a table that is missing", c => { LoadIdt(c, 0xFFF); c.int3(); }),
        new("interrupt through a table that is missing", c => { LoadIdt(c, 0xFFF); c.@int(0x21); }),
        new("fault through a table that is missing", c => { LoadIdt(c, 0xFFF); c.ud2(); }),
        new("triple fault", c => { LoadIdt(c, 0); c.ud2(); }),
        new("halt with interrupts enabled", c => { c.sti(); c.hlt(); }),
        new("loop with a changed stack", c => { c.mov(rsp, Missing); Label self = c.CreateLabel(); c.Label(ref self); c.jmp(self); }),
    ];

    private static IEnumerable<UnfinishedCode> Registers =>
    [
        new("general registers", c =>
        {
            foreach (AssemblerRegister64 register in new[] { rax, rbx, rcx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15 })
            {
                c.mov(register, 0x5A17_AB1E_D00D_0000UL);
            }

            Exit(c);
        }),
        new("flags", c => { SetFlags(c, 0x25_4ED5); Exit(c); }),
        new("descriptor tables", c =>
        {
            PushTable(c, 0x7F, Missing + 0x123);
            c.lgdt(__[rsp]);
            c.lidt(__[rsp]);
            c.xor(eax, eax);
            c.mov(ds, eax);
            c.mov(es, eax);
            c.lldt(ax);
            Exit(c);
        }),
        new("x87, MXCSR", c => { c.fninit(); c.fld1(); c.fldpi(); c.push(0x3F80); c.ldmxcsr(__dword_ptr[rsp]); Exit(c); }),
        new("XMM", c =>
        {
            c.mov(eax, Plant);
            c.movd(xmm0, eax);
            foreach (AssemblerRegisterXMM register in new[] { xmm1, xmm7, xmm8, xmm15 })
            {
                c.pshufd(register, xmm0, 0);
            }

            Exit(c);
        }),
        new("YMM and XCR0", PlantYmm),
        new("control and debug registers", c =>
        {
            c.mov(rax, 0x0000_5A17_AB1E_D000);
            c.mov(cr2, rax);
            c.mov(dr0, rax);
            c.mov(dr1, rax);
            c.mov(dr2, rax);
            c.mov(dr3, rax);
            c.mov(eax, 9);
            c.mov(cr8, rax);
            c.mov(eax, 0xFFFF_0FF1);
            c.mov(dr6, rax);
            c.mov(rax, cr4);
            c.or(rax, 0x88);
            c.mov(cr4, rax);
            Exit(c);
        }),
    ];

    /// <summary>Every way in which a few instructions of each kind read or write memory or ports that are missing.</summary>
    private static IEnumerable<UnfinishedCode> Accesses
    {
        get
        {
            (string, Action<Assembler>)[] instructions =
            [
                ("read 1", c => c.mov(al, __[rsi])), ("read 2", c => c.mov(ax, __[rsi])), ("read 4", c => c.mov(eax, __[rsi])),
                ("read 8", c => c.mov(rax, __[rsi])), ("read 16", c => c.movups(xmm0, __[rsi])), ("pop", c => { c.mov(rsp, rsi); c.pop(rax); }),
                ("write 1", c => c.mov(__[rdi], al)), ("write 2", c => c.mov(__[rdi], ax)), ("write 4", c => c.mov(__[rdi], eax)),
                ("write 8", c => c.mov(__[rdi], rax)), ("write 16", c => c.movups(__[rdi], xmm0)),
                ("exchange", c => c.xchg(__[rdi], rax)), ("locked add", c => c.@lock.add(__qword_ptr[rdi], rax)),
                ("compare and exchange", c => c.@lock.cmpxchg(__[rdi], rbx)), ("fxsave", c => c.fxsave(__[rdi])),
                ("rep movsb out", c => { c.mov(rsi, rsp); c.rep.movsb(); }), ("rep movsq in", c => { c.lea(rdi, __[rsp - 64]); c.mov(ecx, 4); c.rep.movsq(); }),
                ("rep movsq from missing to missing", c => c.rep.movsq()), ("rep stosd", c => c.rep.stosd()), ("lodsb", c => c.lodsb()),
                ("rep lodsq", c => c.rep.lodsq()), ("repe cmpsb", c => c.repe.cmpsb()), ("repne scasq", c => c.repne.scasq()),
                ("insb", c => c.insb()), ("rep insd", c => { c.lea(rdi, __[rsp - 64]); c.mov(ecx, 4); c.rep.insd(); }),
                ("rep insb to missing", c => c.rep.insb()), ("rep outsb", c => { c.mov(rsi, rsp); c.rep.outsb(); }),
                ("rep outsd from missing", c => c.rep.outsd()), ("in 1", c => c.@in(al, dx)), ("in 4", c => c.@in(eax, dx)), ("out 2", c => c.@out(dx, ax)),
            ];
            foreach ((string name, Action<Assembler> instruction) in instructions)
            {
                yield return new(name, c =>
                {
                    c.mov(rsi, Missing + 0x100);
                    c.mov(rdi, Missing + 0x200);
                    c.mov(edx, UnknownPort);
                    c.mov(ecx, 8);
                    c.mov(eax, Plant);
                    instruction(c);
                    Exit(c);
                });
            }
        }
    }

    public override string ToString() => Name;

    private static void Exit(Assembler c)
    {
        c.mov(edx, UnknownPort);
        c.@out(dx, eax);
    }

    private static void SetFlags(Assembler c, uint flags)
    {
        c.pushfq();
        c.or(__dword_ptr[rsp], flags);
        c.popfq();
    }

    private static void PushTable(Assembler c, ushort limit, ulong address)
    {
        c.mov(rax, address);
        c.push(rax);
        c.sub(rsp, 2);
        c.mov(__word_ptr[rsp], limit);
    }

    private static void LoadIdt(Assembler c, ushort limit)
    {
        PushTable(c, limit, Missing);
        c.lidt(__[rsp]);
    }

    /// <summary>Nothing on a processor without AVX.</summary>
    private static void PlantYmm(Assembler c)
    {
        Label none = c.CreateLabel();
        c.mov(eax, 1);
        c.cpuid();
        c.bt(ecx, 28);
        c.jnc(none);
        c.mov(rax, cr4);
        c.or(eax, 1 << 18);
        c.mov(cr4, rax);
        c.xor(ecx, ecx);
        c.xor(edx, edx);
        c.mov(eax, 7);
        c.xsetbv();
        c.mov(eax, Plant);
        c.vmovd(xmm0, eax);
        c.vinsertf128(ymm0, ymm0, xmm0, 1);
        c.vmovaps(ymm1, ymm0);
        c.vmovaps(ymm15, ymm0);
        c.Label(ref none);
        Exit(c);
    }
}
