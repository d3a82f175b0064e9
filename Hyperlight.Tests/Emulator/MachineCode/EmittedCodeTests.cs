using System.Runtime.CompilerServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Memory;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Assembler = Iced.Intel.Assembler;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>Emitted code among the rest of the process.</summary>
[TestFixture]
internal sealed class EmittedCodeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    [SetUp]
    public void Require() => EmittingHost.Require();

    [Test]
    public void A_garbage_collection_does_not_wait_for_a_guest()
    {
        using LongModeGuest guest = Create(c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.inc(rbx);
            c.jmp(again);
        });

        EndlessGuest.Run(guest.Machine, static () =>
        {
            Task collection = Task.Run(static () => GC.Collect(2, GCCollectionMode.Forced, blocking: true));
            Assert.That(collection.Wait(Limit), Is.True);
        });
    }

    [Test]
    public void Code_returns_now_and_then_and_instructions_are_counted_all_the_same()
    {
        const long Budget = 2_000_001;
        const int InstructionsPerLook = 1 << 18;
        using LongModeGuest guest = Create(c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.inc(rbx);
            c.jmp(again);
        });
        var machine = (EmulatorVirtualMachine)guest.Machine;
        machine.InstructionBudget = Budget;

        Assert.That(machine.Run(), Is.EqualTo(VmExit.InstructionBudgetExhausted));

        Assert.That(machine.InstructionCount, Is.EqualTo(Budget));
        Assert.That(machine.GetGeneralRegisters().Rbx, Is.EqualTo((Budget + 1) / 2));
        Assert.That(machine.CodeEntries, Is.InRange(Budget / InstructionsPerLook, (Budget / InstructionsPerLook) + 5));
    }

    /// <summary>A tag that is not valid has other bits where the slot is chosen than every address of the slot.</summary>
    [Test]
    public void No_address_agrees_with_an_invalid_tag()
    {
        const int HighestPart = 1 << 21;
        foreach (ulong high in (ulong[])[0, 1, ulong.MaxValue / HighestPart, (ulong.MaxValue / HighestPart) - 1, 0x3FF_FFFF_FFFF, 0x555_5555_5555])
        {
            for (ulong slot = 0; slot < Tlb.Count; slot++)
            {
                foreach (ulong offset in (ulong[])[0, 1, 0xFF8, 0xFFF])
                {
                    ulong address = (high * HighestPart) | (slot << HostPage.Shift) | offset;

                    Assert.That(address ^ Tlb.InvalidFor(address), Is.GreaterThanOrEqualTo((ulong)HostPage.Size));
                }
            }
        }
    }

    /// <summary>The page of these addresses is the last one there is, or they are not canonical.</summary>
    [TestCase(0xFFFF_FFFF_FFFF_F000UL)]
    [TestCase(0xFFFF_FFFF_FFFF_FFFFUL)]
    [TestCase(0xFFFF_FFFF_FFFF_FFF8UL)]
    [TestCase(0x8000_0000_0000_0000UL)]
    [TestCase(0xFFFF_FFFF_FFE0_0000UL)]
    public void An_address_without_memory_is_not_accessed(ulong address)
    {
        using LongModeGuest guest = Create(c =>
        {
            c.mov(rax, 0x1111);
            c.mov(rax, __[rbx]);
            c.hlt();
        });
        for (int i = 0; i < 3; i++)
        {
            guest.Restart();
            guest.Machine.SetGeneralRegisters(guest.Machine.GetGeneralRegisters() with { Rbx = address });

            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Shutdown));
            Assert.That(guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(0x1111));
        }
    }

    [Test]
    public void Machines_share_code_and_keep_their_states_apart()
    {
        var hypervisor = new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 1, Tier = CodeTier.Machine });
        using var first = new LongModeGuest(hypervisor, Count);
        using var second = new LongModeGuest(hypervisor, Count);
        Assert.That(first.Machine.Run(), Is.EqualTo(VmExit.Halt));
        long size = hypervisor.SharedCodeSize;
        Assert.That(second.Machine.Run(), Is.EqualTo(VmExit.Halt));

        Assert.That(size, Is.Positive);
        Assert.That(hypervisor.SharedCodeSize, Is.EqualTo(size));
        Assert.That(first.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(1000));
        Assert.That(second.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(1000));
    }

    [Test]
    public void A_machine_that_is_not_disposed_is_collected()
    {
        WeakReference machine = Drop();
        for (int i = 0; i < 500 && machine.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(i < 10 ? 0 : 10);
        }

        Assert.That(machine.IsAlive, Is.False);
    }

    [Test]
    public void A_disposed_machine_has_no_registers()
    {
        LongModeGuest guest = Create(c => c.hlt());
        guest.Dispose();

        Assert.That(() => guest.Machine.GetGeneralRegisters(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => guest.Machine.SetGeneralRegisters(default), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(guest.Machine.Cancel, Throws.Nothing);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Drop()
    {
        LongModeGuest guest = Create(Count);
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        return new WeakReference(guest.Machine);
    }

    private static void Count(Assembler c)
    {
        Label again = c.CreateLabel();
        c.mov(ecx, 1000);
        c.Label(ref again);
        c.inc(rbx);
        c.dec(ecx);
        c.jne(again);
        c.hlt();
    }

    private static LongModeGuest Create(Action<Assembler> code) =>
        new(new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 1, Tier = CodeTier.Machine }), code);
}
