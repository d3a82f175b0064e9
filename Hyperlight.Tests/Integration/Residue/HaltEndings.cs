using Hyperlight.Host.Memory;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>
/// Guests whose calls succeed, and end with each instruction that can say so, of which some have more to do, and with each
/// event that can wait then. After such a call a snapshot can be taken.
/// </summary>
internal static class HaltEndings
{
    /// <summary>What the guest prints at the beginning of each call, by an OUTS, and by an OUT of what it has read.</summary>
    public const string Printed = "\u2713\u2713";

    private const uint Character = '\u2713';
    private const byte DebugPort = 103;
    private const byte HaltPort = 108;
    private const uint TrapFlag = 0x100;
    private const uint InterruptFlag = 0x200;
    private const uint DirectionFlag = 0x400;
    private const ulong Stack = 0xFFFF_FFFF_FFFF_EF00;

    private static readonly byte[][] Prefixes = [[], [0x66], [0x48], [0xF3], [0xF2], [0x67], [0xF3, 0x66], [0xF3, 0x67], [0xF3, 0x48]];

    /// <summary>OUT to the port in the instruction, and in DX, and OUTS; of each, the two sizes.</summary>
    private static readonly byte[][] Opcodes = [[0xE6, HaltPort], [0xE7, HaltPort], [0xEE], [0xEF], [0x6E], [0x6F]];

    private static readonly (string Name, Action<Assembler> Code)[] Events =
    [
        ("nothing", static _ => { }),
        ("trap flag", static c => GuestCode.SetFlags(c, TrapFlag)),
        ("direction and interrupt flags", static c => GuestCode.SetFlags(c, DirectionFlag | InterruptFlag)),
        ("shadow of STI", static c => c.sti()),
        ("shadow of MOV SS", static c => { c.mov(eax, ss); c.mov(ss, eax); }),
        ("trap flag behind a shadow", static c => { c.mov(ebx, ss); GuestCode.SetFlags(c, TrapFlag); c.mov(ss, ebx); }),
        ("registers", static c => { c.mov(r15, Stack); c.mov(dr0, r15); c.fldpi(); c.movq(xmm0, r15); }),
    ];

    /// <summary>All combinations, HLT among them; the first is an OUT with nothing that waits.</summary>
    public static IEnumerable<(string Name, GuestBinary Guest)> All =>
        from code in Opcodes.SelectMany(static opcode => Prefixes, static (opcode, prefixes) => (byte[])[.. prefixes, .. opcode]).Append([0xF4])
        from waiting in Events
        select ($"{Convert.ToHexString(code)}, {waiting.Name}", TinyGuest.Assemble(c => Assemble(c, code, waiting.Code)));

    private static void Assemble(Assembler c, byte[] halt, Action<Assembler> wait)
    {
        byte[] result = WireMessages.EncodeValue(true);
        Label dispatcher = c.CreateLabel(), message = c.CreateLabel(), character = c.CreateLabel();
        c.mov(rsp, Stack);
        c.lea(rax, __[dispatcher]);
        c.Out(HaltPort);

        c.Label(ref dispatcher);
        c.lea(rsi, __[character]);
        c.mov(edx, DebugPort);
        c.outsd();
        c.mov(eax, __dword_ptr[character]);
        c.@out(dx, eax);
        ulong output = GuestAddresses.ScratchVirtualBase(new SandboxConfiguration().ScratchSize) + GuestBuffers.DefaultSize;
        c.lea(rsi, __[message]);
        c.mov(rdi, output + sizeof(ulong));
        c.mov(ecx, result.Length);
        c.rep.movsb();
        c.mov(eax, sizeof(ulong));
        c.mov(__[rdi], rax);
        c.mov(rdi, output);
        c.mov(eax, result.Length + (2 * sizeof(ulong)));
        c.mov(__[rdi], rax);

        c.mov(rsi, rsp);
        c.mov(ecx, 5);
        c.mov(edx, HaltPort);
        wait(c);
        c.db(halt);
        c.Label(ref character);
        c.dd(Character);
        c.Label(ref message);
        c.db(result);
    }
}
