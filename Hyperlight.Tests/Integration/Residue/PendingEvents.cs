using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>
/// What can wait in a processor between two instructions, in every combination: traps, breakpoints, the two interrupt
/// shadows, descriptor tables and a stack that cannot be used, followed by each instruction that leaves the guest.
/// </summary>
internal static class PendingEvents
{
    /// <summary>A part of the name of every combination with a data breakpoint.</summary>
    public const string DataBreakpointName = "data breakpoint";

    private const uint TrapFlag = 0x100;
    private const uint InterruptFlag = 0x200;

    /// <summary>R/W0 = 3, LEN0 = 3, L0: an access of four bytes at DR0.</summary>
    private const uint DataBreakpoint = 0xF_0001;

    /// <summary>R/W1 = 0, L1: execution at DR1.</summary>
    private const uint InstructionBreakpoint = 0x4;

    /// <summary>
    /// What comes before, each independent of the others, in the order in which they have to be: the trap flag acts after
    /// the instruction behind it, and the shadow ends there.
    /// </summary>
    private static readonly (string Name, Action<Assembler, Label> Code)[] Preparations =
    [
        ("interrupts enabled", static (c, _) => SetFlags(c, InterruptFlag)),
        (DataBreakpointName, static (c, _) =>
        {
            c.mov(__dword_ptr[rsp - 64], ss);
            c.lea(rax, __[rsp - 64]);
            c.mov(rbx, rax);
            c.mov(dr0, rax);
            c.mov(rax, dr7);
            c.or(eax, DataBreakpoint);
            c.mov(dr7, rax);
        }),
        ("breakpoint on the exit", static (c, exit) =>
        {
            c.lea(rax, __[exit]);
            c.mov(dr1, rax);
            c.mov(rax, dr7);
            c.or(eax, InstructionBreakpoint);
            c.mov(dr7, rax);
        }),
        ("missing interrupt table", static (c, _) => LoadInterruptTable(c, 0xFFF)),
        ("empty interrupt table", static (c, _) => LoadInterruptTable(c, 0)),
        ("trap flag", static (c, _) => SetFlags(c, TrapFlag)),
    ];

    private static readonly (string Name, Action<Assembler> Code)[] Shadows =
    [
        ("no shadow", static _ => { }),
        ("shadow of STI", static c => c.sti()),
        ("shadow of MOV SS", static c => c.mov(ss, __word_ptr[rbx])),
        ("missing stack", static c => c.mov(rsp, rsi)),
    ];

    /// <summary>Every instruction that leaves the guest by itself. RSI and RDI are missing memory, RDX is an unknown port.</summary>
    private static readonly (string Name, Action<Assembler> Code)[] Exits =
    [
        ("OUT", static c => c.@out(dx, eax)),
        ("IN", static c => c.@in(eax, dx)),
        ("REP OUTS", static c => c.rep.outsd()),
        ("REP INS", static c => c.rep.insb()),
        ("read", static c => c.mov(rax, __[rsi])),
        ("write", static c => c.mov(__[rdi], rax)),
        ("read and write", static c => c.@lock.add(__qword_ptr[rdi], rax)),
        ("fetch", static c => c.jmp(rsi)),
        ("HLT", static c => c.hlt()),
        ("INT3", static c => c.int3()),
        ("INT", static c => c.@int(0x21)),
        ("UD2", static c => c.ud2()),
        ("endless loop", static c => c.db(0xEB, 0xFE)),
    ];

    /// <summary>All combinations.</summary>
    public static IEnumerable<GuestCode> All =>
        from exit in Exits
        from shadow in Shadows
        from set in Enumerable.Range(0, 1 << Preparations.Length)
        select Combine([.. Preparations.Where((_, i) => (set >> i & 1) != 0)], shadow, exit);

    private static GuestCode Combine(
        (string Name, Action<Assembler, Label> Code)[] preparations, (string Name, Action<Assembler> Code) shadow, (string Name, Action<Assembler> Code) exit) =>
        new(string.Join(", ", [.. preparations.Select(static p => p.Name), shadow.Name, exit.Name]), c =>
        {
            Label target = c.CreateLabel();
            c.mov(__dword_ptr[rsp - 72], ss);
            c.lea(rbx, __[rsp - 72]);
            c.mov(rsi, GuestCode.Missing + 0x100);
            c.mov(rdi, GuestCode.Missing + 0x200);
            c.mov(ecx, 8);
            c.mov(edx, GuestCode.UnknownPort);
            foreach ((_, Action<Assembler, Label> code) in preparations)
            {
                code(c, target);
            }

            shadow.Code(c);
            c.Label(ref target);
            exit.Code(c);
            c.hlt();
        });

    private static void SetFlags(Assembler c, uint flags) => GuestCode.SetFlags(c, flags);

    private static void LoadInterruptTable(Assembler c, ushort limit)
    {
        c.mov(rax, GuestCode.Missing);
        c.mov(__[rsp - 96], rax);
        c.mov(__word_ptr[rsp - 98], limit);
        c.lidt(__[rsp - 98]);
    }
}
