using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Assembler = Iced.Intel.Assembler;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>The verifier accepts a translated access, and nothing that is only similar.</summary>
[TestFixture]
internal sealed class CodeVerifierTests
{
    private const int StackAlignment = 8;

    private static readonly Dictionary<string, Action<Assembler>> Refused = new()
    {
        ["memory at an address of the guest"] = c => c.mov(rbx, __qword_ptr[rdi]),
        ["memory at an absolute address"] = c => c.mov(rbx, __qword_ptr[0x1000]),
        ["memory at a computed address"] = c => { c.mov(r14, rdi); c.mov(rbx, __qword_ptr[r14]); },
        ["memory before the comparison"] = c => Translate(c, skipped: 5, then: x => x.mov(rbx, __qword_ptr[r14])),
        ["memory without the branch"] = c => Translate(c, skipped: 6, then: x => x.mov(rbx, __qword_ptr[r14])),
        ["memory without the tag"] = c => Translate(c, skipped: 4, then: x => x.mov(rbx, __qword_ptr[r14])),
        ["an index that is not limited"] = c => Translate(c, skipped: 2, then: x => x.mov(rbx, __qword_ptr[r14])),
        ["more bytes than were compared"] = c => Translate(c, size: 4, then: x => x.mov(rbx, __qword_ptr[r14])),
        ["a vector of which half was compared"] = c => Translate(c, size: 8, then: x => x.movups(xmm0, __[r14])),
        ["a write where a read was translated"] = c => Translate(c, then: x => x.mov(__qword_ptr[r14], rbx)),
        ["memory beside the translated address"] = c => Translate(c, then: x => x.mov(rbx, __qword_ptr[r14 + 8])),
        ["an index at the translated address"] = c => Translate(c, then: x => x.mov(rbx, __qword_ptr[r14 + rdi])),
        ["a translated address that was changed"] = c => Translate(c, then: x => { x.add(r14, rdi); x.mov(rbx, __qword_ptr[r14]); }),
        ["a partly changed address"] = c => Translate(c, then: x => { x.mov(r14b, 7); x.mov(rbx, __qword_ptr[r14]); }),
        ["a branch behind the comparison"] = c =>
        {
            Label middle = c.CreateLabel();
            c.jmp(middle);
            Translate(c, middle: middle, then: x => x.mov(rbx, __qword_ptr[r14]));
        },
        ["a branch to the access"] = c =>
        {
            Label access = c.CreateLabel();
            c.jmp(access);
            Translate(c, then: x => { x.Label(ref access); x.mov(rbx, __qword_ptr[r14]); });
        },
        ["a translation that is written"] = c => c.mov(__qword_ptr[r13], rbx),
        ["a field behind the state"] = c => c.mov(rbx, __qword_ptr[r15 + ProcessorState.Size - 4]),
        ["a field before the state"] = c => c.mov(rbx, __qword_ptr[r15 - 8]),
        ["the state with an index"] = c => c.mov(rbx, __qword_ptr[r15 + rdi * 8]),
        ["the pointer to the interpreter, written"] = c => c.mov(__qword_ptr[r15 + ProcessorState.InterpretOffset], rbx),
        ["the pointer to translations, written in part"] = c => c.mov(__byte_ptr[r15 + ProcessorState.TranslationsOffset + 7], bl),
        ["the state, replaced"] = c => c.mov(r15, rbx),
        ["the stack, as memory"] = c => c.mov(rbx, __qword_ptr[rsp]),
        ["the stack pointer, replaced"] = c => c.mov(rsp, rbx),
        ["a push without a pop"] = c => c.push(rbx),
        ["a jump to a computed address"] = c => c.jmp(rbx),
        ["a call of a computed address"] = c => c.call(rbx),
        ["a segment"] = c => c.mov(rbx, __qword_ptr.fs[r15]),
        ["a control register"] = c => c.mov(rbx, cr3),
        ["a system call"] = c => c.syscall(),
        ["an interrupt"] = c => c.int3(),
        ["a string instruction"] = c => c.movsq(),
        ["a masked store"] = c => c.maskmovdqu(xmm0, xmm1),
        ["an AVX instruction"] = c => c.vaddps(ymm0, ymm1, ymm2),
        ["an x87 instruction"] = c => c.fld1(),
    };

    private static IEnumerable<string> RefusedNames => Refused.Keys;

    [Test]
    public void A_translated_access_is_accepted() => Assert.That(
        () => Verify(c => Translate(c, then: x => x.mov(rbx, __qword_ptr[r14]))), Throws.Nothing);

    [Test]
    public void A_write_is_accepted_where_one_was_translated() => Assert.That(
        () => Verify(c => Translate(c, tag: TlbEntry.WriteTagOffset, then: x => x.add(__dword_ptr[r14], 1))), Throws.Nothing);

    [TestCaseSource(nameof(RefusedNames))]
    public void Anything_else_is_refused(string name) =>
        Assert.That(() => Verify(Refused[name]), Throws.InvalidOperationException.With.Message.Contains("isolated"));

    [Test]
    public void A_branch_into_an_instruction_is_refused()
    {
        // jmp to the second byte of the mov.
        byte[] code = [0xE9, 1, 0, 0, 0, 0xB8, 1, 2, 3, 4, 0xC3];

        Assert.That(() => CodeVerifier.Verify(code, []), Throws.InvalidOperationException);
    }

    /// <summary>The eight instructions of a translation, without one of them.</summary>
    private static void Translate(
        Assembler c, Action<Assembler> then, int size = 8, int tag = TlbEntry.ReadTagOffset, int skipped = -1, Label middle = default)
    {
        Label slow = c.CreateLabel();
        Action[] steps =
        [
            () => c.mov(r13d, r14d),
            () => c.shr(r13d, HostPage.Shift - Tlb.EntryShift),
            () => c.AddInstruction(Instruction.Create(Code.And_rm32_imm32, Register.R13D, Tlb.IndexMask << Tlb.EntryShift)),
            () => c.add(r13, __qword_ptr[r15 + ProcessorState.TranslationsOffset]),
            () => c.xor(r14, __qword_ptr[r13 + tag]),
            () => c.AddInstruction(Instruction.Create(Code.Cmp_rm64_imm32, Register.R14, HostPage.Size - size)),
            () => c.AddInstruction(Instruction.CreateBranch(Code.Ja_rel32_64, slow.Id)),
            () => c.add(r14, __qword_ptr[r13 + TlbEntry.PageOffset]),
        ];
        for (int i = 0; i < steps.Length; i++)
        {
            if (i == steps.Length - 1 && !middle.IsEmpty)
            {
                c.Label(ref middle);
            }

            if (i != skipped)
            {
                steps[i]();
            }
        }

        then(c);
        c.Label(ref slow);
        c.mov(eax, eax);
    }

    /// <summary>Verifies code within the entry and exit that all code has.</summary>
    private static void Verify(Action<Assembler> body)
    {
        var c = new Assembler(64);
        Label exit = c.CreateLabel();
        c.push(r15);
        c.lea(rsp, __[rsp - StackAlignment]);
        c.mov(r15, rdi);
        c.mov(r14, rsi);
        c.jmp(r14);
        body(c);
        c.jmp(exit);
        c.Label(ref exit);
        c.mov(rax, rbx);
        c.lea(rsp, __[rsp + StackAlignment]);
        c.pop(r15);
        c.ret();
        using var stream = new MemoryStream();
        c.Assemble(new StreamCodeWriter(stream), 0);
        byte[] code = stream.ToArray();
        var decoder = Iced.Intel.Decoder.Create(64, code);
        while (decoder.Decode() is var instruction && instruction.Code != Code.Jmp_rm64)
        {
        }

        CodeVerifier.Verify(code, [(int)decoder.IP]);
    }
}
