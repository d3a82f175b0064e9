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
        ["memory before the comparison"] = c => Translate(c, skipped: 4, then: x => x.mov(rbx, __qword_ptr[r14])),
        ["memory without the branch"] = c => Translate(c, skipped: 5, then: x => x.mov(rbx, __qword_ptr[r14])),
        ["memory without the tag"] = c => Translate(c, skipped: 3, then: x => x.mov(rbx, __qword_ptr[r14])),
        ["an index that is not limited"] = c => Translate(c, skipped: 2, then: x => x.mov(rbx, __qword_ptr[r14])),
        ["more bytes than were compared"] = c => Translate(c, size: 4, then: x => x.mov(rbx, __qword_ptr[r14])),
        ["a vector of which half was compared"] = c => Translate(c, size: 8, then: x => x.movups(xmm0, __[r14])),
        ["a write where a read was translated"] = c => Translate(c, then: x => x.mov(__qword_ptr[r14], rbx)),
        ["memory beside the translated address"] = c => Translate(c, then: x => x.mov(rbx, __qword_ptr[r14 + 8])),
        ["memory before the translated address"] = c => Translate(c, size: 16, then: x => x.mov(rbx, __qword_ptr[r14 - 8])),
        ["memory behind a translated span"] = c => Translate(c, size: 16, then: x => x.mov(rbx, __qword_ptr[r14 + 9])),
        ["memory far behind a translated span"] = c => Translate(c, size: 16, then: x => x.mov(rbx, __qword_ptr[r14 + 0x7FFF_FFF8])),
        ["a write into a span of which a read was translated"] = c => Translate(c, size: 16, then: x => x.mov(__qword_ptr[r14 + 8], rbx)),
        ["a part of a span behind a branch"] = c => Translate(c, size: 16, then: x =>
        {
            Label back = x.CreateLabel();
            x.jmp(back);
            x.Label(ref back);
            x.mov(rbx, __qword_ptr[r14 + 8]);
        }),
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
        ["memory by a translation of a user"] = c => Translate(
            c, translations: ProcessorState.UserTranslationsOffset, then: x => x.mov(rbx, __qword_ptr[r14])),
        ["memory by a translation that does not exist"] = c => Translate(
            c, translations: ProcessorState.UserTranslationsOffset + Tlb.Size, then: x => x.mov(rbx, __qword_ptr[r14])),
        ["an entry of the translations, written"] = c => Translate(
            c, then: x => x.mov(__qword_ptr[r15 + r13 + ProcessorState.SupervisorTranslationsOffset], rbx)),
        ["an entry of the translations, read"] = c => Translate(
            c, then: x => x.mov(rbx, __qword_ptr[r15 + r13 + ProcessorState.SupervisorTranslationsOffset])),
        ["a translation that is written"] = c => c.mov(__qword_ptr[r13], rbx),
        ["memory by a prediction without the comparison"] = c => Predict(c, skipped: 1),
        ["memory by a prediction without the branch"] = c => Predict(c, skipped: 2),
        ["memory by a prediction without its tag"] = c => Predict(c, skipped: 0),
        ["memory by the page of another prediction"] = c => Predict(c, pageOf: 8),
        ["memory by a prediction that does not exist"] = c => Predict(c, prediction: PredictionTable.Count),
        ["memory by the half of a prediction"] = c => Predict(c, predictions: ProcessorState.SupervisorPredictionsOffset + PredictionEntry.PageOffset),
        ["memory by a prediction of a user"] = c => Predict(c, predictions: ProcessorState.UserPredictionsOffset),
        ["more bytes than were compared with a prediction"] = c => Predict(c, size: 4),
        ["a write where a read was predicted"] = c => Predict(c, access: x => x.mov(__qword_ptr[r14], rbx)),
        ["fewer bytes compared after a wrong prediction"] = c => Predict(c, missSize: 1),
        ["a look-up for another prediction"] = c => Predict(c, missPrediction: 8),
        ["a look-up without the comparison"] = c => Predict(c, skipped: 6),
        ["a look-up without the branch"] = c => Predict(c, skipped: 7),
        ["a way back from elsewhere"] = c =>
        {
            Label done = c.CreateLabel();
            c.jmp(done);
            Predict(c, done: done);
        },
        ["a look-up that is called from elsewhere"] = c =>
        {
            Label lookUp = c.CreateLabel();
            c.call(lookUp);
            Predict(c, lookUp: lookUp);
        },
        ["a look-up of writes for reads"] = c => Predict(c, tag: TlbEntry.WriteTagOffset, prediction: 3),
        ["a look-up of reads for writes"] = c => Predict(
            c, prediction: PredictionTable.CountForReads, access: x => x.mov(__qword_ptr[r14], rbx)),
        ["a look-up without a limit of the entry"] = c => Predict(c, skippedOfLookUp: 4),
        ["a look-up that compares no tag"] = c => Predict(c, skippedOfLookUp: 5),
        ["a look-up that predicts what it did not compare"] = c => Predict(c, skippedOfLookUp: 7),
        ["a look-up that copies no tag"] = c => Predict(c, skippedOfLookUp: 11),
        ["a look-up that copies no page"] = c => Predict(c, skippedOfLookUp: 13),
        ["a look-up that returns another entry"] = c => Predict(c, skippedOfLookUp: 16),
        ["a prediction that is written"] = c => c.mov(__qword_ptr[r15 + ProcessorState.SupervisorPredictionsOffset], rbx),
        ["a prediction that is read"] = c => c.mov(rbx, __qword_ptr[r15 + ProcessorState.SupervisorPredictionsOffset]),
        ["the unused page"] = c => c.mov(rbx, __qword_ptr[r15 + ProcessorState.UnusedPageOffset]),
        ["a field behind the state"] = c => c.mov(rbx, __qword_ptr[r15 + ProcessorState.Size - 4]),
        ["a field of the interpreter"] = c => c.mov(__qword_ptr[r15 + ProcessorState.EmittedSize], rbx),
        ["a field of the interpreter, in part"] = c => c.mov(rbx, __qword_ptr[r15 + ProcessorState.EmittedSize - 4]),
        ["the request to end the run, written"] = c => c.mov(__dword_ptr[r15 + ProcessorState.CancelRequestedOffset], ebx),
        ["a field before the state"] = c => c.mov(rbx, __qword_ptr[r15 - 8]),
        ["the state with an index"] = c => c.mov(rbx, __qword_ptr[r15 + rdi * 8]),
        ["the pointer to the interpreter, written"] = c => c.mov(__qword_ptr[r15 + ProcessorState.InterpretOffset], rbx),
        ["the pointer to the interpreter, written in part"] = c => c.mov(__byte_ptr[r15 + ProcessorState.InterpretOffset + 7], bl),
        ["the state, replaced"] = c => c.mov(r15, rbx),
        ["the stack, as memory"] = c => c.mov(rbx, __qword_ptr[rsp]),
        ["the stack pointer, replaced"] = c => c.mov(rsp, rbx),
        ["a push without a pop"] = c => c.push(rbx),
        ["a state from the stack"] = c => { c.push(rbx); c.pop(r15); c.mov(__qword_ptr[r15], rcx); },
        ["a return to a computed address"] = c => { c.push(rbx); c.ret(); },
        ["a return to what is below the stack"] = c => { c.lea(rsp, __[rsp - 8]); c.ret(); },
        ["a function that replaces its return address"] = c =>
        {
            Label function = c.CreateLabel();
            Label behind = c.CreateLabel();
            c.call(function);
            c.jmp(behind);
            c.Label(ref function);
            c.pop(rbx);
            c.push(rcx);
            c.ret();
            c.Label(ref behind);
            c.mov(eax, eax);
        },
        ["memory at a translated address behind a call"] = c =>
        {
            Label function = c.CreateLabel();
            Label behind = c.CreateLabel();
            Translate(c, then: x => { x.call(function); x.mov(rbx, __qword_ptr[r14]); });
            c.jmp(behind);
            c.Label(ref function);
            c.mov(r14, rbx);
            c.ret();
            c.Label(ref behind);
            c.mov(eax, eax);
        },
        ["a bit beside a translated operand, read"] = c => Translate(c, then: x => x.bt(__qword_ptr[r14], rbx)),
        ["a bit beside a translated operand, written"] = c => Translate(c, tag: TlbEntry.WriteTagOffset, then: x => x.bts(__qword_ptr[r14], rbx)),
        ["a bit beside the state"] = c => c.btr(__dword_ptr[r15], ebx),
        ["a return that drops what the caller has on the stack"] = c => { c.lea(rsp, __[rsp + StackAlignment]); c.pop(r15); c.ret(16); },
        ["a jump of which some processors take 16 bits"] = c => c.db(0x66, 0xE9, 0, 0, 0, 0),
        ["a return with 16 bits"] = c => { c.lea(rsp, __[rsp + StackAlignment]); c.pop(r15); c.AddInstruction(Instruction.Create(Code.Retnw)); },
        ["a stack pointer from the stack"] = c => { c.lea(rsp, __[rsp + StackAlignment]); c.pop(rsp); c.ret(); },
        ["a part of a slot of the stack"] = c => { c.lea(rsp, __[rsp + StackAlignment]); c.pop(bx); c.ret(); },
        ["a stack that was moved by more than 31 bits"] = c =>
        {
            c.lea(rsp, __[rsp + int.MinValue]);
            c.call(__qword_ptr[r15 + ProcessorState.InterpretOffset]);
            c.lea(rsp, __[rsp + int.MinValue]);
        },
        ["a far call of the interpreter"] = c => c.call(__fword_ptr[r15 + ProcessorState.InterpretOffset]),
        ["the interpreter for another state"] = c =>
        {
            c.mov(rdi, rbx);
            c.mov(esi, r14d);
            c.lea(rsp, __[rsp - StackAlignment]);
            c.call(__qword_ptr[r15 + ProcessorState.InterpretOffset]);
            c.lea(rsp, __[rsp + StackAlignment]);
        },
        ["a jump to a computed address"] = c => c.jmp(rbx),
        ["a call of a computed address"] = c => c.call(rbx),
        ["a jump to an entry that was not compared"] = c => Link(c, skipped: 4, then: Leave),
        ["a jump to an entry without the branch"] = c => Link(c, skipped: 5, then: Leave),
        ["a jump to an entry that was compared in another place"] = c => Link(c, skipped: 6, then: Leave),
        ["a jump to an entry that was not compared in its second place"] = c => Link(c, skipped: 7, then: Leave),
        ["a jump to an entry without the branch of its second place"] = c => Link(c, skipped: 8, then: Leave),
        ["a jump to an entry that was compared in one place twice"] = c => Link(c, skipped: 12, then: Leave),
        ["a jump to an entry that was not compared in its last place"] = c => Link(c, skipped: 13, then: Leave),
        ["a jump to an entry without the branch of its last place"] = c => Link(c, skipped: 14, then: Leave),
        ["a jump to an entry that is not noted"] = c => Link(c, then: x =>
        {
            x.mov(r14, __qword_ptr[r13 + LinkEntry.BlockOffset]);
            x.jmp(__qword_ptr[r13 + LinkEntry.RegionOffset]);
        }),
        ["an entry that is noted and was not compared"] = c => c.mov(__qword_ptr[r15 + ProcessorState.LinkedOffset], r13),
        ["another address that is noted as an entry"] = c => Link(c, then: x =>
        {
            x.mov(__qword_ptr[r15 + ProcessorState.LinkedOffset], rbx);
            x.mov(r14, __qword_ptr[r13 + LinkEntry.BlockOffset]);
            x.jmp(__qword_ptr[r13 + LinkEntry.RegionOffset]);
        }),
        ["a jump to an entry with a wrong index"] = c => Link(c, skipped: 2, then: Leave),
        ["a jump to an entry of another table"] = c => Link(c, table: ProcessorState.InterpretOffset, then: Leave),
        ["a jump to an entry that was changed"] = c => Link(c, then: x => { x.add(r13, 8); Leave(x); }),
        ["a jump to a region without its block"] = c => Link(c, then: x => x.jmp(__qword_ptr[r13 + LinkEntry.RegionOffset])),
        ["a jump to the block of another region"] = c => Link(c, then: x => x.jmp(__qword_ptr[r13 + LinkEntry.BlockOffset])),
        ["a jump to what an entry does not have"] = c => Link(c, then: x =>
        {
            x.mov(__qword_ptr[r15 + ProcessorState.LinkedOffset], r13);
            x.mov(r14, __qword_ptr[r13 + LinkEntry.BlockOffset]);
            x.jmp(__qword_ptr[r13 + LinkEntry.BlockOffset + 8]);
        }),
        ["a branch to the jump to an entry"] = c =>
        {
            Label jump = c.CreateLabel();
            c.jmp(jump);
            Link(c, then: x => { x.mov(ebx, ebx); x.Label(ref jump); Leave(x); });
        },
        ["a branch to the end of the lookup"] = c =>
        {
            Label found = c.CreateLabel();
            c.jmp(found);
            Link(c, then: Leave, found: found);
        },
        ["a jump to an entry with something on the stack"] = c => Link(c, then: x => { x.push(rbx); Leave(x); }),
        ["an entry that is written"] = c => Link(c, then: x => x.mov(__qword_ptr[r13 + LinkEntry.RegionOffset], rbx)),
        ["the pointer to the table, written"] = c => c.mov(__qword_ptr[r15 + ProcessorState.LinksOffset], rbx),
        ["a segment"] = c => c.mov(rbx, __qword_ptr.fs[r15]),
        ["a control register"] = c => c.mov(rbx, cr3),
        ["a system call"] = c => c.syscall(),
        ["an interrupt"] = c => c.int3(),
        ["a string instruction"] = c => c.movsq(),
        ["a repeated string instruction"] = c => c.rep.movsq(),
        ["a copy of elements without a limit"] = c => Copy(c, skipped: 0),
        ["a copy of elements that are not in one page"] = c => Copy(c, skipped: 2),
        ["a copy of larger elements than were checked"] = c => Copy(c, elementSize: 4),
        ["a copy from elements that were not translated"] = c => Copy(c, sourceTag: null),
        ["a copy to elements that were not translated"] = c => Copy(c, destinationTag: null),
        ["a copy to elements that may only be read"] = c => Copy(c, destinationTag: TlbEntry.ReadTagOffset),
        ["a copy with another number of elements"] = c => Copy(c, then: x => x.inc(rcx)),
        ["a copy to another address"] = c => Copy(c, then: x => x.mov(rdi, rbx)),
        ["a masked store"] = c => c.maskmovdqu(xmm0, xmm1),
        ["an AVX instruction"] = c => c.vaddps(ymm0, ymm1, ymm2),
        ["an x87 instruction"] = c => c.fld1(),
    };

    /// <summary>The second argument, with which code is entered, is in RSI.</summary>
    private static readonly Dictionary<string, Action<Assembler, Action>> RefusedEntries = new()
    {
        ["another state"] = (c, mark) => { c.mov(rdi, rbx); c.mov(r15, rdi); c.mov(r14, rsi); mark(); },
        ["another state behind the first one"] = (c, mark) => { c.mov(r15, rdi); c.mov(r14, rsi); c.mov(rdi, rbx); c.mov(r15, rdi); mark(); },
        ["the caller's state"] = (c, mark) => { c.mov(__qword_ptr[r15], rbx); c.mov(r15, rdi); c.mov(r14, rsi); mark(); },
        ["no state"] = (c, mark) => { c.mov(r14, rsi); c.mov(r14, rsi); mark(); },
        ["another place to begin"] = (c, mark) => { c.mov(r15, rdi); c.mov(r14, rbx); mark(); },
        ["a place that is changed"] = (c, mark) => { c.mov(r15, rdi); c.mov(r14, rsi); c.add(r14, rbx); mark(); },
        ["a place that is changed where other code enters"] = (c, mark) => { c.mov(r15, rdi); c.mov(r14, rsi); mark(); c.mov(r14b, bl); },
        ["a branch"] = (c, mark) =>
        {
            Label next = c.CreateLabel();
            c.mov(r15, rdi);
            c.mov(r14, rsi);
            c.je(next);
            c.Label(ref next);
            c.mov(eax, eax);
            mark();
        },
    };

    private static IEnumerable<string> RefusedNames => Refused.Keys;

    private static IEnumerable<string> RefusedEntryNames => RefusedEntries.Keys;

    [Test]
    public void A_translated_access_is_accepted() => Assert.That(
        () => Verify(c => Translate(c, then: x => x.mov(rbx, __qword_ptr[r14]))), Throws.Nothing);

    [Test]
    public void Each_part_of_a_translated_span_is_accepted() => Assert.That(
        () => Verify(c => Translate(c, size: 16, then: x => { x.mov(rbx, __qword_ptr[r14]); x.mov(rbx, __qword_ptr[r14 + 8]); })), Throws.Nothing);

    [Test]
    public void A_write_is_accepted_where_one_was_translated() => Assert.That(
        () => Verify(c => Translate(c, tag: TlbEntry.WriteTagOffset, then: x => x.add(__dword_ptr[r14], 1))), Throws.Nothing);

    [Test]
    public void A_jump_to_an_entry_of_the_table_is_accepted() => Assert.That(() => Verify(c => Link(c, then: Leave)), Throws.Nothing);

    [Test]
    public void A_copy_of_translated_elements_is_accepted() => Assert.That(() => Verify(c => Copy(c)), Throws.Nothing);

    [Test]
    public void A_predicted_access_is_accepted() => Assert.That(() => Verify(c => Predict(c)), Throws.Nothing);

    [Test]
    public void A_predicted_write_is_accepted() => Assert.That(
        () => Verify(c => Predict(
            c,
            tag: TlbEntry.WriteTagOffset,
            prediction: PredictionTable.CountForReads + 7,
            access: x => x.mov(__qword_ptr[r14], rbx))),
        Throws.Nothing);

    [TestCaseSource(nameof(RefusedNames))]
    public void Anything_else_is_refused(string name) =>
        Assert.That(() => Verify(Refused[name]), Throws.InvalidOperationException.With.Message.Contains("isolated"));

    [TestCaseSource(nameof(RefusedEntryNames))]
    public void Another_entry_is_refused(string name) =>
        Assert.That(() => Verify(static _ => { }, RefusedEntries[name]), Throws.InvalidOperationException.With.Message.Contains("isolated"));

    [Test]
    public void A_call_of_the_interpreter_is_accepted() => Assert.That(
        () => Verify(c =>
        {
            c.mov(rdi, r15);
            c.mov(esi, r14d);
            c.lea(rsp, __[rsp - StackAlignment]);
            c.call(__qword_ptr[r15 + ProcessorState.InterpretOffset]);
            c.lea(rsp, __[rsp + StackAlignment]);
        }),
        Throws.Nothing);

    [Test]
    public void A_branch_into_an_instruction_is_refused()
    {
        // jmp to the second byte of the mov.
        byte[] code = [0xE9, 1, 0, 0, 0, 0xB8, 1, 2, 3, 4, 0xC3];

        Assert.That(() => CodeVerifier.Verify(code, new EmittedLayout(0, [], false)), Throws.InvalidOperationException);
    }

    /// <summary>The instructions of a translation, without one of them.</summary>
    private static void Translate(
        Assembler c, Action<Assembler> then, int size = 8, int tag = TlbEntry.ReadTagOffset, int skipped = -1, Label middle = default, bool endsInLine = false, Label slow = default, int translations = ProcessorState.SupervisorTranslationsOffset)
    {
        if (!endsInLine)
        {
            slow = c.CreateLabel();
        }

        Action[] steps =
        [
            () => c.mov(r13d, r14d),
            () => c.shr(r13d, HostPage.Shift - Tlb.EntryShift),
            () => c.AddInstruction(Instruction.Create(Code.And_rm32_imm32, Register.R13D, Tlb.IndexMask << Tlb.EntryShift)),
            () => c.xor(r14, __qword_ptr[r15 + r13 + (translations + tag)]),
            () => c.AddInstruction(Instruction.Create(Code.Cmp_rm64_imm32, Register.R14, HostPage.Size - size)),
            () => c.AddInstruction(Instruction.CreateBranch(Code.Ja_rel32_64, slow.Id)),
            () => c.add(r14, __qword_ptr[r15 + r13 + (translations + TlbEntry.PageOffset)]),
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
        if (!endsInLine)
        {
            c.Label(ref slow);
            c.mov(eax, eax);
        }
    }

    /// <summary>An access to predicted memory, what it does if the prediction is wrong, and the function that looks the translation up.</summary>
    private static void Predict(
        Assembler c,
        int prediction = 7,
        int? missPrediction = null,
        int? pageOf = null,
        int size = 8,
        int? missSize = null,
        int tag = TlbEntry.ReadTagOffset,
        int predictions = ProcessorState.SupervisorPredictionsOffset,
        int skipped = -1,
        int skippedOfLookUp = -1,
        Label done = default,
        Label lookUp = default,
        Action<Assembler>? access = null)
    {
        const int translations = ProcessorState.SupervisorTranslationsOffset;
        Label miss = c.CreateLabel();
        Label slow = c.CreateLabel();
        Label end = c.CreateLabel();
        Label behind = c.CreateLabel();
        done = done.IsEmpty ? c.CreateLabel() : done;
        lookUp = lookUp.IsEmpty ? c.CreateLabel() : lookUp;
        Emit(skipped, [
            () => c.xor(r14, __qword_ptr[r15 + (predictions + PredictionEntry.TagOffset + (PredictionEntry.Size * prediction))]),
            () => Compare(size),
            () => c.AddInstruction(Instruction.CreateBranch(Code.Ja_rel32_64, miss.Id)),
            () => c.add(r14, __qword_ptr[r15 + (predictions + PredictionEntry.PageOffset + (PredictionEntry.Size * (pageOf ?? prediction)))]),
            () => { c.Label(ref done); (access ?? (static x => x.mov(rbx, __qword_ptr[r14])))(c); c.jmp(behind); c.Label(ref miss); },
            () => { c.mov(r13d, 2 * (missPrediction ?? prediction)); c.call(lookUp); },
            () => Compare(missSize ?? size),
            () => c.AddInstruction(Instruction.CreateBranch(Code.Ja_rel32_64, slow.Id)),
            () => { c.add(r14, __qword_ptr[r15 + r13 + (translations + TlbEntry.PageOffset)]); c.jmp(done); },
        ]);
        AssemblerMemoryOperand tags = __qword_ptr[r15 + (r13 * 8) + (predictions + PredictionEntry.TagOffset)];
        AssemblerMemoryOperand pages = __qword_ptr[r15 + (r13 * 8) + (predictions + PredictionEntry.PageOffset)];
        c.Label(ref lookUp);
        Emit(skippedOfLookUp, [
            () => c.mov(__qword_ptr[r15 + ProcessorState.PredictingRaxOffset], rax),
            () => c.xor(r14, tags),
            () => c.AddInstruction(Instruction.Create(Code.Mov_rm32_r32, Register.EAX, Register.R14D)),
            () => c.shr(eax, HostPage.Shift - Tlb.EntryShift),
            () => c.AddInstruction(Instruction.Create(Code.And_rm32_imm32, Register.EAX, Tlb.IndexMask << Tlb.EntryShift)),
            () => c.xor(r14, __qword_ptr[r15 + rax + (translations + tag)]),
            () => Compare(1),
            () => c.AddInstruction(Instruction.CreateBranch(Code.Ja_rel32_64, end.Id)),
            () => { c.sub(__dword_ptr[r15 + (r13 * 2) + (predictions + PredictionTable.CreditsOffset)], 1); c.AddInstruction(Instruction.CreateBranch(Code.Js_rel32_64, end.Id)); },
            () => c.mov(__qword_ptr[r15 + ProcessorState.PredictingRcxOffset], rcx),
            () => c.mov(rcx, __qword_ptr[r15 + rax + (translations + tag)]),
            () => c.mov(tags, rcx),
            () => c.mov(rcx, __qword_ptr[r15 + rax + (translations + TlbEntry.PageOffset)]),
            () => c.mov(pages, rcx),
            () => c.mov(rcx, __qword_ptr[r15 + ProcessorState.PredictingRcxOffset]),
            () => c.Label(ref end),
            () => c.AddInstruction(Instruction.Create(Code.Mov_rm32_r32, Register.R13D, Register.EAX)),
            () => c.mov(rax, __qword_ptr[r15 + ProcessorState.PredictingRaxOffset]),
            () => c.ret(),
        ]);
        c.Label(ref slow);
        c.mov(eax, eax);
        c.Label(ref behind);
        c.mov(eax, eax);

        void Compare(int bytes) => c.AddInstruction(Instruction.Create(Code.Cmp_rm64_imm32, Register.R14, HostPage.Size - bytes));

        void Emit(int left, Action[] steps)
        {
            for (int i = 0; i < steps.Length; i++)
            {
                if (i != left)
                {
                    steps[i]();
                }
            }
        }
    }

    /// <summary>A repeated string instruction as it is emitted, without one of the first instructions of its source.</summary>
    private static void Copy(
        Assembler c,
        int skipped = -1,
        int elementSize = 8,
        int? sourceTag = TlbEntry.ReadTagOffset,
        int? destinationTag = TlbEntry.WriteTagOffset,
        Action<Assembler>? then = null)
    {
        Label slow = c.CreateLabel();
        if (skipped != 0)
        {
            c.AddInstruction(Instruction.Create(Code.Cmp_rm64_imm32, Register.RCX, StringInstructions.ElementsPerCheck));
            c.AddInstruction(Instruction.CreateBranch(Code.Ja_rel32_64, slow.Id));
        }

        TranslateElements(rsi, sourceTag);
        c.mov(__qword_ptr[r15 + ProcessorState.ScratchOffset], rax);
        c.mov(rax, r14);
        TranslateElements(rdi, destinationTag);
        c.mov(r13, rcx);
        c.xchg(rax, rsi);
        c.xchg(r14, rdi);
        then?.Invoke(c);
        c.rep.movsq();
        c.xchg(r14, rdi);
        c.xchg(rax, rsi);
        c.Label(ref slow);
        c.mov(eax, eax);

        void TranslateElements(AssemblerRegister64 register, int? tag)
        {
            c.mov(r14, register);
            if (skipped != 2)
            {
                c.lea(r13, __[r14 + rcx * elementSize - 1]);
                c.xor(r13, r14);
                c.shr(r13, HostPage.Shift);
                c.AddInstruction(Instruction.CreateBranch(Code.Jne_rel32_64, slow.Id));
            }

            if (tag is { } kind)
            {
                Translate(c, static _ => { }, size: 1, tag: kind, endsInLine: true, slow: slow);
            }
        }
    }

    /// <summary>The instructions that look up where to go on, without one of them.</summary>
    private static void Link(
        Assembler c, Action<Assembler> then, int table = ProcessorState.LinksOffset, int skipped = -1, Label found = default)
    {
        Label missing = c.CreateLabel();
        if (found.IsEmpty)
        {
            found = c.CreateLabel();
        }

        Action[] steps =
        [
            () => c.imul(r13d, r14d, unchecked((int)LinkTable.Multiplier)),
            () => c.shr(r13d, 32 - LinkTable.MostIndexBits - LinkEntry.Shift),
            () => c.and(r13d, __dword_ptr[r15 + ProcessorState.LinkMaskOffset]),
            () => c.add(r13, __qword_ptr[r15 + table]),
            Compare,
            BranchIfFound,
            () => c.xor(r13, 1 << LinkEntry.Shift),
            Compare,
            BranchIfFound,
            () => c.xor(r13, 3 << LinkEntry.Shift),
            Compare,
            BranchIfFound,
            () => c.xor(r13, 1 << LinkEntry.Shift),
            Compare,
            () => c.AddInstruction(Instruction.CreateBranch(Code.Jne_rel32_64, missing.Id)),
        ];
        for (int i = 0; i < steps.Length; i++)
        {
            if (i != skipped)
            {
                steps[i]();
            }
        }

        c.Label(ref found);
        then(c);
        c.Label(ref missing);
        c.mov(eax, eax);

        void Compare() => c.cmp(r14, __qword_ptr[r13 + LinkEntry.RipOffset]);
        void BranchIfFound() => c.AddInstruction(Instruction.CreateBranch(Code.Je_rel32_64, found.Id));
    }

    /// <summary>Leaves for the code of the entry.</summary>
    private static void Leave(Assembler c)
    {
        c.mov(__qword_ptr[r15 + ProcessorState.LinkedOffset], r13);
        c.mov(r14, __qword_ptr[r13 + LinkEntry.BlockOffset]);
        c.jmp(__qword_ptr[r13 + LinkEntry.RegionOffset]);
    }

    /// <summary>Verifies code within the entry and exit that all code has.</summary>
    /// <param name="body">The code.</param>
    /// <param name="entry">Another entry: it says where other code enters.</param>
    private static void Verify(Action<Assembler> body, Action<Assembler, Action>? entry = null)
    {
        var c = new Assembler(64);
        Label exit = c.CreateLabel();
        Label linked = c.CreateLabel();
        c.push(r15);
        c.lea(rsp, __[rsp - StackAlignment]);
        entry ??= static (c, mark) => { c.mov(r15, rdi); c.mov(r14, rsi); mark(); };
        entry(c, () => c.Label(ref linked));
        c.jmp(r14);
        body(c);
        c.jmp(exit);
        c.Label(ref exit);
        c.mov(rax, rbx);
        c.lea(rsp, __[rsp + StackAlignment]);
        c.pop(r15);
        c.ret();
        using var stream = new MemoryStream();
        AssemblerResult assembled = c.Assemble(new StreamCodeWriter(stream), 0, BlockEncoderOptions.ReturnNewInstructionOffsets);
        byte[] code = stream.ToArray();
        var decoder = Iced.Intel.Decoder.Create(64, code);
        while (decoder.Decode() is var instruction && instruction.Code != Code.Jmp_rm64)
        {
        }

        CodeVerifier.Verify(code, new EmittedLayout((int)assembled.GetLabelRIP(linked), [(int)decoder.IP], false));
    }
}
