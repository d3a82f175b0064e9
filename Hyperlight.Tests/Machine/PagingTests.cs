using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using Iced.Intel;
using static Hyperlight.Tests.Machine.SystemGuest;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>Rights, error codes, and accessed and dirty bits.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class PagingTests(TestTarget target) : MachineTest(target)
{
    private const ulong TestPage = 0x2_0000;
    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const ulong User = 4;
    private const ulong Accessed = 0x20;
    private const ulong Dirty = 0x40;
    private const ulong Large = 0x80;
    private const ulong NoExecute = 1UL << 63;
    private const ulong WriteProtect = 0x1_0000;
    private const ulong Smep = 0x10_0000;
    private const ulong Smap = 0x20_0000;

    /// <summary>A present entry with reserved bits. QEMU 7 says only that they are reserved.</summary>
    private ulong ReservedError => IsOnQemu ? 8UL : 9;

    [TestCase(Attempt.Read, 0UL, false, 0UL)]
    [TestCase(Attempt.Write, 0UL, false, 2UL)]
    [TestCase(Attempt.Execute, 0UL, false, 0x10UL)]
    [TestCase(Attempt.Read, 0UL, true, 4UL)]
    [TestCase(Attempt.Write, 0UL, true, 6UL)]
    [TestCase(Attempt.Execute, 0UL, true, 0x14UL)]
    [TestCase(Attempt.Write, Present, false, 3UL)]
    [TestCase(Attempt.Read, Present | Writable, true, 5UL)]
    [TestCase(Attempt.Write, Present | Writable, true, 7UL)]
    [TestCase(Attempt.Execute, Present | Writable, true, 0x15UL)]
    [TestCase(Attempt.Write, Present | User, true, 7UL)]
    [TestCase(Attempt.Execute, Present | Writable | NoExecute, false, 0x11UL)]
    [TestCase(Attempt.Execute, Present | Writable | User | NoExecute, true, 0x15UL)]
    [TestCase(Attempt.Change, 0UL, false, 2UL)]
    [TestCase(Attempt.Read, Present | Writable, false, null)]
    [TestCase(Attempt.Write, Present | Writable | User, true, null)]
    [TestCase(Attempt.Write, Present | Writable | NoExecute, false, null)]
    [TestCase(Attempt.Read, Present | User | NoExecute, true, null)]
    public void Rights_of_a_page(Attempt attempt, ulong rights, bool atUser, ulong? error)
    {
        if (attempt == Attempt.Change)
        {
            SkipOnQemu("reads before it looks whether it may write");
        }

        ulong entry = (rights & Present) == 0 ? rights : rights | TestPage;

        Check(attempt, entry, atUser, error);

        ulong marks = error is not null ? 0 : Accessed | (attempt is Attempt.Write or Attempt.Change ? Dirty : 0);
        Assert.That(Guest.Read(EntryOf(TestPage)), Is.EqualTo(entry | marks));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Write_protection_binds_the_supervisor_if_it_is_on(bool on)
    {
        Guest.Special = Guest.Special with { Cr0 = on ? 0x8005_0033 : 0x8005_0033 & ~WriteProtect };

        Check(Attempt.Write, TestPage | Present, atUser: false, on ? 3UL : null);
    }

    [TestCase(Present | Writable | User, 0x11UL)]
    [TestCase(Present | Writable, null)]
    public void Smep_keeps_the_supervisor_from_code_of_the_user(ulong rights, ulong? error)
    {
        Guest.Require(7, 1, 7, "SMEP");
        Guest.Special = Guest.Special with { Cr4 = 0x620 | Smep };

        Check(Attempt.Execute, TestPage | rights, atUser: false, error);
    }

    [TestCase(Attempt.Read, 1UL)]
    [TestCase(Attempt.Write, 3UL)]
    public void Smap_keeps_the_supervisor_from_data_of_the_user(Attempt attempt, ulong error)
    {
        Guest.Require(7, 1, 20, "SMAP");
        Guest.Special = Guest.Special with { Cr4 = 0x620 | Smap };

        Check(attempt, TestPage | Present | Writable | User, atUser: false, error);
    }

    [Test]
    public void Stac_opens_what_smap_closes_until_clac()
    {
        Guest.Require(7, 1, 20, "SMAP");
        Guest.Special = Guest.Special with { Cr4 = 0x620 | Smap };

        Guest.RunKernel((c, at) =>
        {
            c.stac();
            c.mov(rax, __[UserData]);
            c.mov(__[UserData], rax);
            c.clac();
            at.Here();
            c.mov(rax, __[UserData]);
        });

        AssertFault(PageFault, 1);
        Assert.That(Only.Cr2, Is.EqualTo(UserData));
    }

    [Test]
    public void Stac_needs_cpl_0()
    {
        Guest.Require(7, 1, 20, "SMAP");

        Guest.RunUser((c, at) => { at.Here(); c.stac(); });

        AssertFault(InvalidOpcode);
    }

    [Test]
    public void The_tables_of_descriptors_are_read_with_the_rights_of_the_supervisor()
    {
        Guest.RunUser((c, _) => { c.mov(eax, UserDataSelector); c.mov(es, eax); c.@int(Exit); });

        Assert.That(Guest.Events, Is.Empty);
    }

    /// <summary>RFLAGS.AC opens pages of the user to the instructions of the supervisor, not to the processor itself.</summary>
    [Test]
    public void A_table_of_descriptors_in_a_page_of_the_user_is_closed_by_smap_whatever_the_flag_says([Values] bool isOn)
    {
        Guest.Require(7, 1, 20, "SMAP");
        Guest.Write(UserData, Guest.Read(Ldt));
        Guest.Special = Guest.Special with { Cr4 = isOn ? 0x620 | Smap : 0x620, Ldtr = Guest.Special.Ldtr with { Base = UserData } };
        Guest.Flags |= AlignmentFlag;

        Guest.RunUser((c, at) => { c.mov(eax, LocalDataSelector); at.Here(); c.mov(es, eax); c.@int(Exit); });

        if (isOn)
        {
            AssertFault(PageFault, 1);
            Assert.That(Only.Cr2, Is.EqualTo(UserData));
        }
        else
        {
            Assert.That(Guest.Events, Is.Empty);
        }
    }

    [TestCase(0x1UL << 51)]
    public void A_reserved_bit_faults(ulong bit)
    {
        Check(Attempt.Read, TestPage | Present | Writable | bit, atUser: false, ReservedError);
    }

    [Test]
    public void No_execute_is_reserved_unless_it_is_enabled()
    {
        Guest.Special = Guest.Special with { Efer = 0x501 };

        Check(Attempt.Read, TestPage | Present | Writable | NoExecute, atUser: false, ReservedError);
    }

    [Test]
    public void Rights_of_all_levels_are_combined()
    {
        Guest.Write(PageDirectory + 8, PageTable | Present | User);

        Guest.RunUser((c, at) => { at.Here(); c.mov(__[0x20_0000 + UserData], rax); });

        AssertFault(PageFault, 7);
    }

    [Test]
    public void A_large_page_is_marked_in_its_own_entry()
    {
        const ulong address = 0x20_0000;
        Guest.Write(PageDirectory + 8, Present | Writable | Large);

        Guest.RunKernel((c, _) => { c.mov(rax, 0x11); c.mov(__[address + Data], rax); c.hlt(); });

        Assert.That(Guest.Read(Data), Is.EqualTo(0x11));
        Assert.That(Guest.Read(PageDirectory + 8), Is.EqualTo(Present | Writable | Large | Accessed | Dirty));
    }

    [Test]
    public void A_large_page_has_reserved_address_bits()
    {
        Guest.Write(PageDirectory + 8, 0x2000 | Present | Writable | Large);

        Guest.RunKernel((c, at) => { at.Here(); c.mov(rax, __[0x20_0000]); });

        AssertFault(PageFault, ReservedError);
    }

    [Test]
    public void A_large_page_has_a_memory_type_in_its_lowest_address_bit()
    {
        const ulong memoryType = 0x1000;
        Guest.Write(PageDirectory + 8, Present | Writable | Large | memoryType);

        Guest.RunKernel((c, _) => { c.mov(eax, 0x33); c.mov(__[0x20_0000 + Data], eax); c.hlt(); });

        Assert.That(Guest.Events, Is.Empty);
        Assert.That(Guest.Read(Data), Is.EqualTo(0x33));
    }

    [Test]
    public void A_page_of_a_gibibyte()
    {
        Guest.Require(0x8000_0001, 3, 26, "pages of 1 GiB");
        const ulong address = 0x4000_0000;
        Guest.Write(PageDirectoryPointers + 8, Present | Writable | Large);

        Guest.RunKernel((c, _) => { c.mov(eax, 0x22); c.mov(__[address + Data], eax); c.hlt(); });

        Assert.That(Guest.Read(Data) & 0xFFFF_FFFF, Is.EqualTo(0x22));
        Assert.That(Guest.Read(PageDirectoryPointers + 8), Is.EqualTo(Present | Writable | Large | Accessed | Dirty));
    }

    [Test]
    public void An_access_across_pages_names_the_first_byte_of_the_page_that_faults()
    {
        Guest.Write(EntryOf(TestPage + 0x1000), 0);

        Guest.RunKernel((c, at) => { at.Here(); c.mov(rax, __[TestPage + 0xFFC]); });

        AssertFault(PageFault, 0);
        Assert.That(Only.Cr2, Is.EqualTo(TestPage + 0x1000));
    }

    [Test]
    public void A_store_across_pages_writes_nothing_if_one_of_them_faults()
    {
        Guest.Write(EntryOf(TestPage + 0x1000), (TestPage + 0x1000) | Present);

        Guest.RunKernel((c, at) => { c.mov(rax, -1); at.Here(); c.mov(__[TestPage + 0xFFC], rax); });

        AssertFault(PageFault, 3);
        Assert.That(Guest.Read(TestPage + 0xFF8), Is.Zero);
    }

    [Test]
    public void A_changed_translation_holds_from_the_invalidation_on()
    {
        Guest.Write(TestPage, 1);
        Guest.Write(TestPage + 0x1000, 2);

        Guest.RunKernel((c, _) =>
        {
            c.mov(rbx, __[TestPage]);
            c.mov(rax, (TestPage + 0x1000) | Present | Writable);
            c.mov(__[EntryOf(TestPage)], rax);
            c.invlpg(__[TestPage]);
            c.mov(rcx, __[TestPage]);
            c.hlt();
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rbx, registers.Rcx), Is.EqualTo((1UL, 2UL)));
    }

    [Test]
    public void A_global_translation_goes_with_cr4_pge()
    {
        const ulong global = 0x100;
        Guest.Special = Guest.Special with { Cr4 = 0x6A0 };
        Guest.Write(EntryOf(TestPage), TestPage | Present | Writable | global);
        Guest.Write(TestPage, 1);
        Guest.Write(TestPage + 0x1000, 2);

        Guest.RunKernel((c, _) =>
        {
            c.mov(rbx, __[TestPage]);
            c.mov(rax, (TestPage + 0x1000) | Present | Writable | global);
            c.mov(__[EntryOf(TestPage)], rax);
            c.mov(rax, cr4);
            c.xor(eax, 0x80);
            c.mov(cr4, rax);
            c.xor(eax, 0x80);
            c.mov(cr4, rax);
            c.mov(rcx, __[TestPage]);
            c.hlt();
        });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rcx, Is.EqualTo(2));
    }

    private void Check(Attempt attempt, ulong entry, bool atUser, ulong? error)
    {
        const ulong address = TestPage + 0x10;
        Guest.Write(EntryOf(TestPage), entry);
        Guest.Memory.GetSpan((nuint)address, 1)[0] = 0xC3;
        void Code(Assembler c, Mark at)
        {
            c.mov(rbx, address);
            at.Here();
            switch (attempt)
            {
                case Attempt.Read: c.mov(al, __[rbx]); break;
                case Attempt.Write: c.mov(__byte_ptr[rbx], 0xC3); break;
                case Attempt.Change: c.add(__byte_ptr[rbx], 0); break;
                default: c.call(rbx); break;
            }

            c.@int(Exit);
        }

        _ = atUser ? Guest.RunUser(Code) : Guest.RunKernel(Code);
        if (error is null)
        {
            Assert.That(Guest.Events, Is.Empty);
            return;
        }

        Assert.That((Only.Vector, Only.Error, Only.Cr2), Is.EqualTo((PageFault, error, address)));
        Assert.That(Only.Rip, Is.EqualTo(attempt == Attempt.Execute ? address : Guest.At));
    }

    /// <summary>What the code does with the page.</summary>
    internal enum Attempt
    {
        Read,
        Write,
        Change,
        Execute,
    }
}
