using Hyperlight.Abstractions;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>OUTS, of which the hypervisor only says where its data are, on the simulated kernel.</summary>
[TestFixture]
internal sealed class MshvStringOutputTests
{
    private const ulong Rip = LongModeGuest.CodeAddress;
    private static readonly byte[] Data = [1, 2, 3, 4, 5, 6, 7, 8];

    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [Test]
    public void Each_element_is_an_exit_and_moves_the_registers([Values] bool hasRegisterPage, [Values] bool givesBytes)
    {
        using SimulatedMachine machine = new(
            static code =>
            {
                code.rep.outsw();
                code.hlt();
            },
            traits =>
            {
                traits.HasRegisterPage = hasRegisterPage;
                traits.GivesInstructionBytes = givesBytes;
            });
        Start(machine, LongModeGuest.DataAddress, 3);

        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 0x0201, 2)));
        AssertRegisters(machine, LongModeGuest.DataAddress + 2, 2, Rip);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 0x0403, 2)));
        AssertRegisters(machine, LongModeGuest.DataAddress + 4, 1, Rip);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 0x0605, 2)));
        AssertRegisters(machine, LongModeGuest.DataAddress + 6, 0, Rip + 3);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    public void A_single_OUTS_leaves_RCX_alone_and_follows_the_direction_flag()
    {
        using SimulatedMachine machine = new(static code =>
        {
            code.std();
            code.outsb();
            code.outsd();
            code.hlt();
        });
        Start(machine, LongModeGuest.DataAddress + 4, 7);

        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 5, 1)));
        AssertRegisters(machine, LongModeGuest.DataAddress + 3, 7, Rip + 2);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 0x0706_0504, 4)));
        AssertRegisters(machine, LongModeGuest.DataAddress - 1, 7, Rip + 3);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    public void Segment_bases_and_narrow_addresses_are_those_of_the_prefixes()
    {
        // FS OUTSB; OUTSB with ESI; FS REX OUTSB.
        using SimulatedMachine machine = new(static code => code.db(0x64, 0x6E, 0x67, 0x6E, 0x64, 0x48, 0x6E, 0xF4));
        SpecialRegisters special = LongModeGuest.SpecialRegisters;
        machine.Machine.SetSpecialRegisters(special with { Fs = special.Fs with { Base = 5 } });
        Start(machine, LongModeGuest.DataAddress, 0);

        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 6, 1)));
        GeneralRegisters registers = machine.Machine.GetGeneralRegisters();
        machine.Machine.SetGeneralRegisters(registers with { Rsi = registers.Rsi | 0x1234_0000_0000_0000 });
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 2, 1)));
        AssertRegisters(machine, LongModeGuest.DataAddress + 2, 0, Rip + 4);
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 8, 1)));
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    public void Data_that_cannot_be_found_are_an_instruction_that_cannot_be_emulated()
    {
        using SimulatedMachine machine = new(static code => code.outsb(), static traits => traits.RefusesTranslations = true);
        Start(machine, LongModeGuest.DataAddress, 0);

        VmExit exit = machine.Machine.Run();

        Assert.That(exit.Reason, Is.EqualTo(VmExitReason.EmulationFailure));
        Assert.That((exit.Rip, exit.InstructionBytes & 0xFF), Is.EqualTo((Rip, (UInt128)0x6E)));
    }

    [Test]
    public void Data_in_a_file_are_not_read_as_the_file_can_become_shorter()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, Data);
            using SimulatedMachine machine = new(static code => code.outsb());
            using IPreparedMapping prepared = machine.Hypervisor.PrepareFileMapping(path, LongModeGuest.UnmappedAddress);
            machine.Machine.MapMemory(1, prepared.ToGuestMapping());
            using IMemoryRegion file = prepared.Consume();
            Start(machine, LongModeGuest.UnmappedAddress, 0);

            Assert.That(machine.Machine.Run().Reason, Is.EqualTo(VmExitReason.EmulationFailure));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void What_is_left_of_a_repeated_OUTS_is_forgotten_once_the_registers_are_set()
    {
        using SimulatedMachine machine = new(static code =>
        {
            code.rep.outsb();
            code.hlt();
        });
        Start(machine, LongModeGuest.DataAddress, 5);
        Assert.That(machine.Machine.Run().Reason, Is.EqualTo(VmExitReason.IoOut));
        machine.Machine.DiscardPendingState();
        machine.Machine.SetGeneralRegisters(new GeneralRegisters { Rip = Rip + 2, Rflags = GeneralRegisters.RflagsReset });

        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(machine.Machine.GetGeneralRegisters().Rsi, Is.Zero);
    }

    [Test]
    public void INS_is_an_input_that_has_changed_nothing()
    {
        using SimulatedMachine machine = new(static code => code.rep.insb());
        Start(machine, 0, 3);

        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.IoIn(0x10, 1)));
        AssertRegisters(machine, 0, 3, Rip);
    }

    private static void Start(SimulatedMachine machine, ulong rsi, ulong rcx)
    {
        machine.Guest.Memory.Write((nuint)LongModeGuest.DataAddress, Data);
        machine.Machine.SetGeneralRegisters(new GeneralRegisters
        {
            Rip = Rip,
            Rsi = rsi,
            Rcx = rcx,
            Rdx = 0x10,
            Rdi = LongModeGuest.DataAddress,
            Rflags = GeneralRegisters.RflagsReset,
        });
    }

    private static void AssertRegisters(SimulatedMachine machine, ulong rsi, ulong rcx, ulong rip)
    {
        GeneralRegisters registers = machine.Machine.GetGeneralRegisters();
        Assert.That((registers.Rsi, registers.Rcx, registers.Rip), Is.EqualTo((rsi, rcx, rip)));
    }
}
