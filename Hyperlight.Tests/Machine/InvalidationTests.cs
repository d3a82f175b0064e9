using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using static Hyperlight.Tests.Machine.SystemGuest;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>What ends translations besides INVLPG, and what may be remembered of an access for the next one.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class InvalidationTests(TestTarget target) : MachineTest(target)
{
    private const ulong TestPage = 0x2_0000;
    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const ulong Dirty = 0x40;
    private const ulong Global = 0x100;
    private const ulong NoExecute = 1UL << 63;
    private const int WriteProtect = 0x1_0000;
    private const int EferNoExecute = 0x800;

    [Test]
    public void Write_protection_holds_from_the_instruction_that_turns_it_on()
    {
        Guest.Write(EntryOf(TestPage), TestPage | Present);
        Guest.Special = Guest.Special with { Cr0 = Guest.Special.Cr0 & ~(ulong)WriteProtect };

        Guest.RunKernel((c, at) =>
        {
            c.mov(rbx, TestPage);
            c.mov(__dword_ptr[rbx], 1);
            c.mov(__dword_ptr[rbx], 2);
            c.mov(rax, cr0);
            c.or(eax, WriteProtect);
            c.mov(cr0, rax);
            at.Here();
            c.mov(__dword_ptr[rbx], 3);
        });

        AssertFault(PageFault, 3);
        Assert.That(Guest.Read(TestPage), Is.EqualTo(2));
    }

    [Test]
    public void A_global_entry_is_like_any_other_while_global_pages_are_off()
    {
        Guest.Write(EntryOf(TestPage), TestPage | Present | Writable | Global);
        Guest.Write(TestPage, 1);
        Guest.Write(TestPage + 0x1000, 2);

        Guest.RunKernel((c, _) =>
        {
            c.mov(rbx, __[TestPage]);
            c.mov(rax, (TestPage + 0x1000) | Present | Writable | Global);
            c.mov(__[EntryOf(TestPage)], rax);
            c.mov(rax, cr3);
            c.mov(cr3, rax);
            c.mov(rcx, __[TestPage]);
            c.hlt();
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rbx, registers.Rcx), Is.EqualTo((1UL, 2UL)));
    }

    [Test]
    public void A_page_that_is_not_executable_cannot_be_read_once_that_bit_is_reserved()
    {
        if (!IsEmulatedProcessor)
        {
            Assert.Ignore("a processor may keep the translation: software has to flush it");
        }

        Guest.Write(EntryOf(TestPage), TestPage | Present | Writable | NoExecute);

        Guest.RunKernel((c, at) =>
        {
            c.mov(rbx, TestPage);
            c.mov(rsi, __[rbx]);
            c.mov(ecx, 0xC000_0080);
            c.rdmsr();
            c.and(eax, ~EferNoExecute);
            c.wrmsr();
            at.Here();
            c.mov(rsi, __[rbx]);
        });

        AssertFault(PageFault, 9);
    }

    [Test]
    public void The_handler_of_a_page_fault_needs_no_invalidation()
    {
        SkipOnQemu("keeps the translation of reads where a write faults");
        if (IsOnAmd)
        {
            Assert.Ignore("this processor is one of AMD, which does not promise it");
        }

        Guest.Write(EntryOf(TestPage), TestPage | Present);
        Guest.Write(TestPage, 1);
        Guest.Write(TestPage + 0x1000, 2);
        Guest.SetGate(PageFault, handler: FurtherCode);
        Guest.Place(FurtherCode, (c, _) =>
        {
            c.mov(rax, (TestPage + 0x1000) | Present | Writable);
            c.mov(__[EntryOf(TestPage)], rax);
            c.mov(rcx, __[TestPage]);
            c.hlt();
        });

        Guest.RunKernel((c, _) =>
        {
            c.mov(rbx, __[TestPage]);
            c.mov(__dword_ptr[TestPage], 3);
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rbx, registers.Rcx), Is.EqualTo((1UL, 2UL)));
    }

    /// <summary>The page was written before through another address, so that only the entry says that the write is the first.</summary>
    [Test]
    public void A_write_marks_the_entry_also_where_the_page_was_written_and_read_before()
    {
        const ulong alias = TestPage + 0x1000;
        Guest.Write(EntryOf(alias), TestPage | Present | Writable);

        Guest.RunKernel((c, _) =>
        {
            c.mov(__dword_ptr[alias], 1);
            c.mov(eax, __[TestPage]);
            c.mov(__dword_ptr[TestPage], 2);
            c.hlt();
        });

        Assert.That(Guest.Read(TestPage), Is.EqualTo(2));
        Assert.That(Guest.Read(EntryOf(TestPage)) & Dirty, Is.EqualTo(Dirty));
    }
}
