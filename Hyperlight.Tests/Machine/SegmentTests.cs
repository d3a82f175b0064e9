using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using static Hyperlight.Tests.Machine.SystemGuest;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>Segment registers, descriptors and what looks at them.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class SegmentTests(TestTarget target) : MachineTest(target)
{
    [TestCase(KernelDataSelector, false, null, 0UL)]
    [TestCase(UserDataSelector, true, null, 0UL)]
    [TestCase((ushort)0, true, null, 0UL)]
    [TestCase((ushort)3, true, null, 0UL)]
    [TestCase(KernelDataSelector, true, GeneralProtection, (ulong)KernelDataSelector)]
    [TestCase(KernelCodeSelector, true, GeneralProtection, (ulong)KernelCodeSelector)]
    [TestCase((ushort)(ConformingSelector | 3), true, null, 0UL)]
    [TestCase(ExecuteOnlySelector, false, GeneralProtection, (ulong)ExecuteOnlySelector)]
    [TestCase(AbsentSelector, false, NotPresent, (ulong)AbsentSelector)]
    [TestCase(TssSelector, false, GeneralProtection, (ulong)TssSelector)]
    [TestCase((ushort)0x80, false, GeneralProtection, 0x80UL)]
    [TestCase((ushort)0x17, false, GeneralProtection, 0x14UL)]
    public void Data_segments(ushort selector, bool atUser, byte? vector, ulong error)
    {
        Action<Iced.Intel.Assembler, SystemGuest.Mark> code = (c, at) =>
        {
            c.mov(eax, selector);
            at.Here();
            c.mov(es, eax);
            c.mov(ebx, es);
            c.@int(Exit);
        };
        _ = atUser ? Guest.RunUser(code) : Guest.RunKernel(code);

        if (vector is { } fault)
        {
            AssertFault(fault, error);
        }
        else
        {
            Assert.That(Guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo((ulong)selector));
        }
    }

    [TestCase((ushort)0, false, null, 0UL)]
    [TestCase((ushort)3, false, GeneralProtection, 0UL)]
    [TestCase((ushort)0, true, GeneralProtection, 0UL)]
    [TestCase((ushort)3, true, GeneralProtection, 0UL)]
    [TestCase(KernelDataSelector, false, null, 0UL)]
    [TestCase(UserDataSelector, false, GeneralProtection, 0x20UL)]
    [TestCase((ushort)0x20, true, GeneralProtection, 0x20UL)]
    [TestCase(KernelCodeSelector, false, GeneralProtection, (ulong)KernelCodeSelector)]
    [TestCase((ushort)(AbsentSelector | 3), true, StackFault, (ulong)AbsentSelector)]
    public void The_stack_segment(ushort selector, bool atUser, byte? vector, ulong error)
    {
        if (selector == 3 && !atUser)
        {
            SkipOnQemu("takes a null SS of another level");
        }

        Action<Iced.Intel.Assembler, SystemGuest.Mark> code = (c, at) =>
        {
            c.mov(eax, selector);
            at.Here();
            c.mov(ss, eax);
            c.mov(ebx, ss);
            c.@int(Exit);
        };
        _ = atUser ? Guest.RunUser(code) : Guest.RunKernel(code);

        if (vector is { } fault)
        {
            AssertFault(fault, error);
        }
        else
        {
            Assert.That(Guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo((ulong)selector));
        }
    }

    [Test]
    public void Loading_a_segment_marks_it_as_accessed()
    {
        Guest.RunKernel((c, _) => { c.mov(eax, UnaccessedSelector); c.mov(ds, eax); c.hlt(); });

        Assert.That(Guest.Read(Gdt + UnaccessedSelector), Is.EqualTo(0x00CF_9300_0000_FFFF));
    }

    [Test]
    public void A_segment_of_the_local_table_gives_its_base()
    {
        Guest.Write(LocalDataBase + 8, 0x55);

        Guest.RunUser((c, _) =>
        {
            c.mov(eax, LocalDataSelector);
            c.mov(fs, eax);
            c.mov(rbx, __qword_ptr.fs[8]);
            c.push(fs);
            c.pop(gs);
            c.mov(ecx, gs);
            c.@int(Exit);
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rbx, registers.Rcx), Is.EqualTo((0x55UL, (ulong)LocalDataSelector)));
    }

    [Test]
    public void A_far_pointer_is_loaded_whole_or_not_at_all()
    {
        Guest.Write(Data, 0x1234_5678 | ((ulong)UserDataSelector << 32));
        Guest.Write(Data + 8, 0x1111_1111 | ((ulong)AbsentSelector << 32));

        Guest.RunKernel((c, at) =>
        {
            c.lfs(eax, __fword_ptr[Data]);
            c.mov(ebx, fs);
            c.mov(ecx, 7);
            at.Here();
            c.lgs(ecx, __fword_ptr[Data + 8]);
        });

        AssertFault(NotPresent, AbsentSelector);
        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rax, registers.Rbx, registers.Rcx), Is.EqualTo((0x1234_5678UL, (ulong)UserDataSelector, 7UL)));
    }

    [TestCase(KernelCodeSelector, 0xAF_9B00UL, 0xFFFF_FFFFUL, true, false)]
    [TestCase(KernelDataSelector, 0xCF_9300UL, 0xFFFF_FFFFUL, true, true)]
    [TestCase(UserDataSelector, 0xCF_F300UL, 0xFFFF_FFFFUL, true, true)]
    [TestCase(LocalDataSelector, 0x40_F300UL, 0xFFFUL, true, true)]
    [TestCase(TssSelector, 0x00_8900UL, 0x67UL, false, false)]
    [TestCase(LdtSelector, 0x00_8200UL, 0xFUL, false, false)]
    [TestCase(GateSelector, 0x00_EC00UL, null, false, false)]
    [TestCase((ushort)0, null, null, false, false)]
    [TestCase((ushort)0xF8, null, null, false, false)]
    [TestCase((ushort)(KernelDataSelector | 3), null, null, false, false)]
    public void Selectors_are_described_by_LAR_LSL_VERR_and_VERW(ushort selector, ulong? rights, ulong? limit, bool readable, bool writable)
    {
        Guest.RunKernel((c, _) =>
        {
            c.mov(ebx, selector);
            c.mov(eax, -1);
            c.lar(eax, ebx);
            c.setz(dl);
            c.mov(ecx, -1);
            c.lsl(ecx, ebx);
            c.setz(dh);
            c.verr(bx);
            c.setz(__byte_ptr[Data]);
            c.verw(bx);
            c.setz(__byte_ptr[Data + 1]);
            c.hlt();
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.Multiple(() =>
        {
            Assert.That(registers.Rdx & 0xFFFF, Is.EqualTo((rights is null ? 0UL : 1) | (limit is null ? 0UL : 0x100)));

            // Bits 16 to 19 are not defined.
            Assert.That(registers.Rax & 0xF0_FF00, Is.EqualTo((rights ?? 0xFFFF_FFFF) & 0xF0_FF00));
            Assert.That(registers.Rcx, Is.EqualTo(limit ?? 0xFFFF_FFFF));
            Assert.That(Guest.Read(Data) & 0xFFFF, Is.EqualTo((readable ? 1UL : 0) | (writable ? 0x100UL : 0)));
        });
    }

    [Test]
    public void The_task_register_takes_an_available_task_and_makes_it_busy()
    {
        Guest.RunKernel((c, at) => { c.mov(eax, TssSelector); c.ltr(ax); c.str(rbx); at.Here(); c.ltr(ax); });

        AssertFault(GeneralProtection, TssSelector);
        Assert.That(Guest.Read(Gdt + TssSelector) >> 40 & 0xFF, Is.EqualTo(0x8B));
        Assert.That(Guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo((ulong)TssSelector));
    }

    [TestCase((ushort)0, null)]
    [TestCase(LdtSelector, null)]
    [TestCase(KernelDataSelector, (ulong)KernelDataSelector)]
    [TestCase(LocalDataSelector, 4UL)]
    public void The_local_table_register(ushort selector, ulong? error)
    {
        Guest.RunKernel((c, at) => { c.mov(eax, selector); at.Here(); c.lldt(ax); c.sldt(rbx); c.hlt(); });

        if (error is not null)
        {
            AssertFault(GeneralProtection, error);
        }
        else
        {
            Assert.That(Guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo((ulong)selector));
        }
    }
}
