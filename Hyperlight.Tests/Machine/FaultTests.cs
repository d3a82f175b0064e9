using Hyperlight.Abstractions;
using Hyperlight.Tests.Emulator.Differential;
using Hyperlight.Tests.Integration;
using Iced.Intel;
using static Hyperlight.Tests.Machine.SystemGuest;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>What an instruction leaves behind that faults, and what its handler sees.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class FaultTests(TestTarget target) : MachineTest(target)
{
    private const ulong TestPage = 0x2_0000;
    private const ulong LastLowPage = 0x7FFF_FFFF_F000;
    private const ulong StatusFlags = 0x8D5;
    private const ulong Present = 1;
    private const ulong Writable = 2;

    /// <summary>The emulator does as Intel's processors where vendors differ; a real machine does as its vendor.</summary>
    private bool IsIntel => IsEmulatedProcessor || NativeVendor.Current == ProcessorVendor.Intel;

    [Test]
    public void A_fault_in_a_repeated_comparison_shows_the_flags_from_before_it(
        [Values] bool isScan, [Values(1UL, 4UL, 1030UL, 3000UL)] ulong elements)
    {
        SkipOnQemu("shows the flags of the last element");
        SkipOnOtherVendor("shows the flags of the last element");
        ulong start = TestPage + 0x1000 - (elements & 0xFFF);
        Guest.Write(EntryOf(TestPage + 0x1000), 0);
        Guest.Flags |= StatusFlags;

        Guest.RunKernel((c, at) =>
        {
            c.mov(rdi, start);
            c.mov(rsi, start - 0x4000);
            c.mov(ecx, 0x4000);
            at.Here();
            if (isScan)
            {
                c.repe.scasb();
            }
            else
            {
                c.repe.cmpsb();
            }
        });

        Assert.That((Only.Vector, Only.Rip, Only.Flags & StatusFlags), Is.EqualTo((PageFault, Guest.At, StatusFlags)));
        Assert.That(Guest.Machine.GetGeneralRegisters().Rcx, Is.EqualTo(0x4000 - elements));
    }

    [Test]
    public void A_step_between_elements_sets_the_resume_flag()
    {
        Guest.Flags |= TrapFlag;

        Guest.RunUser((c, at) =>
        {
            c.mov(edi, (uint)UserData);
            c.mov(ecx, 3);
            at.Here();
            c.rep.stosb();
            c.@int(Exit);
        });

        ulong between = IsIntel ? ResumeFlag : 0;
        Assert.That(
            Guest.Events.Skip(2).Select(e => (e.Rip, e.Flags & ResumeFlag)),
            Is.EqualTo(new[] { (Guest.At, between), (Guest.At, between), (Guest.At + 2, 0UL) }));
    }

    [Test]
    public void A_breakpoint_on_a_repeated_instruction_is_met_once()
    {
        SkipOnQemu("meets it at every element");
        Guest.Place(KernelCode + 0x40, (c, _) => { c.rep.stosb(); c.hlt(); });

        Guest.SetGate(Debug, handler: FurtherCode);
        Guest.Place(FurtherCode, (c, _) =>
        {
            c.inc(ebx);
            c.or(__dword_ptr[rsp + 16], (int)ResumeFlag);
            c.iretq();
        });
        Guest.RunKernel((c, _) =>
        {
            c.xor(ebx, ebx);
            c.mov(rdi, Data);
            c.mov(ecx, 5);
            c.mov(rax, KernelCode + 0x40);
            c.mov(dr0, rax);
            c.mov(eax, 0x402);
            c.mov(dr7, rax);
            c.jmp(KernelCode + 0x40);
        });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(1));
    }

    [Test]
    public void A_call_to_an_address_that_is_not_canonical_leaves_its_return_address()
    {
        SkipOnQemu("looks at the target with the next instruction");
        SkipOnOtherVendor("writes nothing then");

        Guest.RunUser((c, at) => { c.mov(rax, 1UL << 63); at.Here(); c.call(rax); });

        AssertFault(GeneralProtection, 0);
        Assert.That((Only.Rsp, Guest.Read(UserStackTop - 8)), Is.EqualTo((UserStackTop, Guest.At + 2)));
    }

    /// <summary>The targets of direct branches can be beyond the last canonical address, too.</summary>
    [TestCase("E900100000")]
    [TestCase("E800100000")]
    [TestCase("0F8400100000")]
    [TestCase("747F")]
    [TestCase("EB7F")]
    [TestCase("E27F")]
    [TestCase("E37F")]
    public void A_direct_branch_out_of_the_canonical_addresses_faults_at_the_branch(string hex)
    {
        SkipOnQemu("looks at the target with the next instruction");
        MapLastLowPage();
        byte[] code = Convert.FromHexString(hex);
        ulong branch = LastLowPage + 0xFF0;
        Guest.Memory.Write((nuint)(TestPage + 0xFF0), code);
        for (int i = 0; i < 3; i++)
        {
            Guest.Events.Clear();
            Guest.RunKernel((c, _) =>
            {
                c.mov(ecx, hex == "E37F" ? 0 : 5);
                c.mov(rax, branch);
                c.cmp(eax, eax);
                c.jmp(rax);
            });

            Assert.That((Only.Vector, Only.Error, Only.Rip, Only.Rsp), Is.EqualTo((GeneralProtection, (ulong?)0, branch, StackTop)));
            Assert.That(Guest.Machine.GetGeneralRegisters().Rcx, Is.EqualTo(hex == "E37F" ? 0 : 5), "no iteration was counted");
        }
    }

    [Test]
    public void Execution_ends_with_the_canonical_addresses()
    {
        MapLastLowPage();
        Guest.Memory.Write((nuint)(TestPage + 0xFFE), [0x90, 0x90]);

        Guest.RunKernel((c, _) => { c.mov(rax, LastLowPage + 0xFFE); c.jmp(rax); });

        Assert.That((Only.Vector, Only.Error, Only.Rip), Is.EqualTo((GeneralProtection, (ulong?)0, LastLowPage + 0x1000)));
    }

    /// <summary>Both edges, with the page inside mapped: an access that fits is done, one that does not writes nothing.</summary>
    [Test]
    public void The_last_canonical_bytes_can_be_accessed_and_none_behind_them([Values(1, 2, 4, 8, 16)] int size, [Values] bool isStack)
    {
        if (size == 16)
        {
            SkipOnQemu("stores 16 bytes in two halves, and looks at the second after the first");
        }

        MapLastLowPage();
        ulong last = LastLowPage + 0x1000 - (ulong)size;
        void Code(Assembler c, ulong address, Mark? at)
        {
            c.pcmpeqd(xmm0, xmm0);
            c.mov(rax, -1);
            AssemblerRegister64 register = isStack ? rbp : rbx;
            c.mov(register, address);
            at?.Here();
            switch (size)
            {
                case 1: c.mov(__byte_ptr[register], al); break;
                case 2: c.mov(__word_ptr[register], ax); break;
                case 4: c.mov(__dword_ptr[register], eax); break;
                case 8: c.mov(__qword_ptr[register], rax); break;
                default: c.movups(__[register], xmm0); break;
            }

            c.hlt();
        }

        Assert.That(Guest.RunKernel((c, _) => Code(c, last, null)), Is.EqualTo(VmExit.Halt));
        Assert.That(Guest.Read(TestPage + 0xFF8) >> (64 - Math.Min(64, 8 * size)), Is.EqualTo(ulong.MaxValue >> (64 - Math.Min(64, 8 * size))));
        Guest.Write(TestPage + 0xFF8, 0);

        Guest.RunKernel((c, at) => Code(c, last + 1, at));

        // QEMU up to version 7 tells the two apart for selectors alone.
        AssertFault(isStack && !IsOnQemu ? StackFault : GeneralProtection, 0);
        Assert.That(Guest.Read(TestPage + 0xFF8), Is.Zero);
    }

    /// <summary>Whether the addresses are canonical comes before whether their pages are there.</summary>
    [Test]
    public void An_access_that_ends_behind_the_canonical_addresses_is_no_page_fault(
        [Values(2, 4, 8, 10, 16)] int size, [Values] bool isStack, [Values] bool isWrite)
    {
        SkipOnQemu("looks for the first page before that");

        if (size == 10 && IsOnAmd)
        {
            Assert.Ignore("this processor is one of AMD: ten bytes are two accesses, and the page of the first comes before the address of the second");
        }

        Guest.RunKernel((c, at) =>
        {
            AssemblerRegister64 register = isStack ? rbp : rbx;
            c.mov(register, LastLowPage + 0x1001 - (ulong)size);
            c.fldz();
            at.Here();
            switch (size, isWrite)
            {
                case (2, true): c.mov(__word_ptr[register], ax); break;
                case (2, false): c.mov(ax, __word_ptr[register]); break;
                case (4, true): c.mov(__dword_ptr[register], eax); break;
                case (4, false): c.mov(eax, __dword_ptr[register]); break;
                case (8, true): c.mov(__qword_ptr[register], rax); break;
                case (8, false): c.mov(rax, __qword_ptr[register]); break;
                case (10, true): c.fstp(__tbyte_ptr[register]); break;
                case (10, false): c.fld(__tbyte_ptr[register]); break;
                case (_, true): c.movups(__[register], xmm0); break;
                default: c.movups(xmm0, __[register]); break;
            }
        });

        AssertFault(isStack ? StackFault : GeneralProtection, 0);
    }

    [Test]
    public void Enter_probes_its_whole_frame()
    {
        SkipOnQemu("does not probe");
        Guest.Write(EntryOf(StackTop - 0x2000), (StackTop - 0x2000) | Present);

        Guest.RunKernel((c, at) => { c.mov(rbp, 0x1234); at.Here(); c.enter(0x1000, 0); });

        AssertFault(PageFault, 3);
        Assert.That((Only.Cr2, Only.Rsp), Is.EqualTo((StackTop - 0x1008, StackTop)));
        Assert.That(Guest.Machine.GetGeneralRegisters().Rbp, Is.EqualTo(0x1234));
    }

    /// <summary>Ends the test as skipped where the host's processor decides otherwise; docs/emulator.md says what.</summary>
    private void SkipOnOtherVendor(string does)
    {
        if (!IsIntel)
        {
            Assert.Ignore($"this machine's processor is none of Intel, and {does}");
        }
    }

    /// <summary>Maps the page before the first address that is not canonical to the test page.</summary>
    private void MapLastLowPage()
    {
        const ulong tables = 0x3_0000;
        Guest.Write(0x1000 + (8 * 255), tables | Present | Writable);
        Guest.Write(tables + (8 * 511), (tables + 0x1000) | Present | Writable);
        Guest.Write(tables + 0x1000 + (8 * 511), (tables + 0x2000) | Present | Writable);
        Guest.Write(tables + 0x2000 + (8 * 511), TestPage | Present | Writable);
    }
}
