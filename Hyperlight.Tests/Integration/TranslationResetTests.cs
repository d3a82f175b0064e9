using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// A guest maps another page where it has used one, and the host puts the page tables back in memory, as a restore does.
/// After the special registers are set, also to the values that they have, the guest uses the page that the tables name:
/// nothing that the processor or the hypervisor has cached is left.
/// </summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class TranslationResetTests(TestTarget target)
{
    private const ulong Address = 1UL << 39;
    private const ulong RootEntry = 0x1000 + sizeof(ulong);
    private const ulong PresentWritable = 3;
    private const ulong Global = 0x100;
    private const ulong GlobalPages = 0x80;
    private const uint Original = 0x0126_1A1A;
    private const uint Other = 0x0D1F_FE2E;

    /// <summary>The tables from level 3 down to level 1, and the page: the original ones, and those of the remapping.</summary>
    private static readonly ulong[] OriginalPages = [0x4000, 0x5000, 0x6000, 0x7000];
    private static readonly ulong[] OtherPages = [0x9000, 0xA000, 0xB000, 0xD000];

    private static SpecialRegisters Registers => LongModeGuest.SpecialRegisters with
    {
        Cr4 = LongModeGuest.SpecialRegisters.Cr4 | GlobalPages,
    };

    [Test]
    public void The_original_page_is_read_and_executed(
        [Values(4, 3, 2, 1)] int level, [Values] bool isGlobal, [Values] Flush flush)
    {
        ulong flags = isGlobal ? PresentWritable | Global : PresentWritable;
        using var guest = new LongModeGuest(target.Hypervisor, (ReadOnlySpan<byte>)[]);
        Build(guest.Memory, OriginalPages, Original, flags);
        Build(guest.Memory, OtherPages, Other, flags);
        ulong original = OriginalPages[4 - level] | (level == 1 ? flags : PresentWritable);
        ulong other = OtherPages[4 - level] | (level == 1 ? flags : PresentWritable);
        ulong entry = level == 4 ? RootEntry : OriginalPages[3 - level];
        Write(guest.Memory, RootEntry, OriginalPages[0] | PresentWritable);
        guest.Machine.SetSpecialRegisters(Registers);
        AssertPage(guest, Original);

        Run(guest, c =>
        {
            c.mov(rax, other);
            c.mov(rcx, entry);
            c.mov(__qword_ptr[rcx], rax);
            EmitFlush(c, flush);
        });
        AssertPage(guest, Other);

        for (int i = 0; i < 2; i++)
        {
            Write(guest.Memory, entry, original);
            guest.Machine.DiscardPendingState();
            guest.Machine.SetSpecialRegisters(Registers);
            AssertPage(guest, Original);
            Write(guest.Memory, entry, other);
            guest.Machine.DiscardPendingState();
            guest.Machine.SetSpecialRegisters(Registers);
            AssertPage(guest, Other);
        }
    }

    /// <summary>How the guest makes the remapping take effect.</summary>
    internal enum Flush
    {
        /// <summary>INVLPG.</summary>
        Page,

        /// <summary>A write of CR4.PGE, which flushes everything.</summary>
        Everything,

        /// <summary>The two together, after the page was used.</summary>
        Repeated,
    }

    private static void EmitFlush(Assembler code, Flush flush)
    {
        code.mov(rdx, Address);
        code.invlpg(__byte_ptr[rdx]);
        if (flush == Flush.Repeated)
        {
            code.mov(rax, __qword_ptr[rdx]);
        }

        if (flush != Flush.Page)
        {
            code.mov(rax, cr4);
            code.xor(rax, (int)GlobalPages);
            code.mov(cr4, rax);
            code.xor(rax, (int)GlobalPages);
            code.mov(cr4, rax);
        }
    }

    /// <summary>Both what is read at the address, and what is executed there.</summary>
    private static void AssertPage(LongModeGuest guest, uint expected)
    {
        Run(guest, static c =>
        {
            c.mov(rdx, Address);
            c.mov(ebx, __dword_ptr[rdx + 1]);
        });
        Assert.That((uint)guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(expected), "read");

        guest.Machine.SetGeneralRegisters(new GeneralRegisters { Rip = Address, Rflags = GeneralRegisters.RflagsReset });
        Assert.That(guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.Halt));
        Assert.That((uint)guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(expected), "executed");
    }

    private static void Run(LongModeGuest guest, Action<Assembler> code)
    {
        guest.Memory.Write((nuint)LongModeGuest.CodeAddress, LongModeGuest.Assemble(c => { code(c); c.hlt(); }));
        guest.Machine.DiscardPendingState();
        guest.Restart();
        Assert.That(guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.Halt));
    }

    /// <summary>Tables that lead to a page with code, which says what page it is.</summary>
    private static void Build(IMemoryRegion memory, ulong[] pages, uint value, ulong flags)
    {
        for (int i = 0; i < 3; i++)
        {
            Write(memory, pages[i], pages[i + 1] | (i == 2 ? flags : PresentWritable));
        }

        byte[] code = LongModeGuest.Assemble(c => { c.mov(eax, value); c.hlt(); });
        memory.Write((nuint)pages[3], code);
    }

    private static void Write(IMemoryRegion memory, ulong address, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        memory.Write((nuint)address, bytes);
    }
}
