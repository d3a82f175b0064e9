using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Tests.Emulator.Differential;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// Guests that end in an access that the host has to answer, by every instruction, on the machine's own KVM; what the
/// machine executes after a reset reads what is in its memory. On a processor KVM emulates the access, and an OUTS that
/// follows it. With the module's parameter force_emulation_prefix it emulates whatever has the prefix, and without hardware
/// everything at CPL 0.
/// </summary>
[TestFixture(true)]
[TestFixture(false)]
internal sealed class GuestUnfinishedAccessTests(bool syncRegs)
{
    private const ulong Fresh = 0x1234_5678_9ABC_DEF0;
    private const ulong Secret = 0x5EC2_E75E_C2E7_5EC2;
    private const ulong ProbeAddress = LongModeGuest.CodeAddress + 0x800;
    private const ulong Unmapped = LongModeGuest.UnmappedAddress;
    private const ulong Mapped = LongModeGuest.DataAddress;
    private const ulong AcrossPages = Unmapped + GuestPage.Size - 3;
    private const ulong IntoUnmapped = 0x1_0000 - 3;
    private const ulong DirectionFlag = 0x400;
    private const ushort Port = 0x64;

    /// <summary>
    /// One of so many plants is executed, another one with and without registers in the run page. All of them take minutes
    /// on an emulated processor.
    /// </summary>
    private static readonly int Parts = TestSettings.IsLong ? 1 : 23;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(300);

    /// <summary>The few instructions of a probe end at once if this thread is not kept from running.</summary>
    private static readonly TimeSpan PatienceWithProbe = TimeSpan.FromMinutes(1);

    /// <summary>What KVM emulates behind these bytes, if it is told to: UD2 and the letters "kvm".</summary>
    private static readonly byte[] EmulationPrefix = [0x0F, 0x0B, 0x6B, 0x76, 0x6D];

    private KvmHypervisor _kvm = null!;
    private LongModeGuest _guest = null!;
    private byte[] _pristine = null!;
    private byte[] _prefix = null!;

    [SetUp]
    public void Create()
    {
        _kvm = RealKvm.Open(syncRegs ? null : new WithoutSyncRegs());
        _guest = new LongModeGuest(_kvm);
        _prefix = [];
        _pristine = Memory.ToArray();
        _prefix = IsPrefixKnown() ? EmulationPrefix : [];
        TestContext.Out.WriteLine(_prefix.Length > 0 ? "KVM emulates what has its prefix." : "KVM does not know its prefix.");
        Memory[(int)Mapped..].Fill(0xA5);
        BitConverter.TryWriteBytes(Memory[(int)Mapped..], Secret);
        LongModeGuest.Assemble(c =>
        {
            c.mov(esi, (uint)ProbeAddress + 0x80);
            c.mov(edx, Port);
            c.outsd();
            c.db(_prefix);
            c.mov(rax, __[rsi - 4]);
            c.mov(__[rsi + 0x10], rax);
            c.hlt();
        }).CopyTo(Memory[(int)ProbeAddress..]);
        BitConverter.TryWriteBytes(Memory[((int)ProbeAddress + 0x80)..], Fresh);
        _pristine = Memory.ToArray();
    }

    [TearDown]
    public void Destroy()
    {
        _guest?.Dispose();
        _kvm?.Dispose();
    }

    /// <summary>Each with REP and without, in both directions, between all kinds of memory.</summary>
    [Test]
    [CancelAfter(300_000)]
    public void String_instructions_leave_nothing()
    {
        ulong[] places = [Mapped, Unmapped, AcrossPages, IntoUnmapped];
        Sweep(
            from code in AccessOpcodes.StringInstructions
            from source in places
            from destination in places
            from count in new ulong[] { 1, 3, 5000 }
            from flags in new ulong[] { 0, DirectionFlag }
            where count == 3 || flags == 0
            select new Plant(code, source, destination, count, flags));
    }

    [Test]
    [CancelAfter(600_000)]
    public void No_instruction_with_a_memory_operand_leaves_anything() => Sweep(
        AccessOpcodes.MemoryInstructions.Select(static (code, i) => new Plant(code, Mapped, i % 4 == 3 ? AcrossPages : Unmapped, 1, 0)));

    /// <summary>The guest's segment makes another RIP the same linear address.</summary>
    [Test]
    public void An_out_of_a_segment_with_a_base_does_not_move_the_next_rip()
    {
        const uint Base = 0x1000;
        _guest.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters with
        {
            Cs = new SegmentRegister { Base = Base, Limit = uint.MaxValue, Selector = 8, Attributes = 0xC09B },
        });
        Memory[(int)ProbeAddress] = 0xE6;
        Memory[(int)ProbeAddress + 1] = (byte)Port;
        _guest.Machine.SetGeneralRegisters(new GeneralRegisters { Rip = ProbeAddress - Base, Rflags = 2 });
        Assert.That(_guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.IoOut));

        Assert.That(Probe(), Is.Null);
    }

    private Span<byte> Memory => _guest.Memory.GetSpan(0, 0x1_0000);

    private void Sweep(IEnumerable<Plant> plants)
    {
        var exits = new Dictionary<VmExitReason, int>();
        List<string> found = [];
        long started = Environment.TickCount64;
        using var watchdog = new Timer(
            _ =>
            {
                // Some instructions never get beyond the access: FXSAVE is tried again and again.
                if (Environment.TickCount64 - Volatile.Read(ref started) > Patience.TotalMilliseconds)
                {
                    _guest.Machine.Cancel();
                }
            },
            null,
            Patience,
            Patience);
        foreach (Plant plant in plants.Where((_, i) => i % Parts == (syncRegs ? 0 : Parts / 2)))
        {
            Volatile.Write(ref started, Environment.TickCount64);
            VmExitReason reason = Execute(plant);
            exits[reason] = exits.GetValueOrDefault(reason) + 1;
            Volatile.Write(ref started, Environment.TickCount64);
            if (Probe() is { } residue)
            {
                found.Add($"{plant}, {reason}: {residue}");
            }
        }

        foreach ((VmExitReason reason, int count) in exits)
        {
            TestContext.Out.WriteLine($"{reason}: {count}");
        }

        Assert.That(exits.GetValueOrDefault(VmExitReason.MmioRead), Is.GreaterThan(10));
        Assert.That(exits.GetValueOrDefault(VmExitReason.MmioWrite), Is.GreaterThan(10));
        Assert.That(found, Is.Empty);
    }

    private VmExitReason Execute(Plant plant)
    {
        _pristine.CopyTo(Memory);
        _prefix.CopyTo(Memory[(int)LongModeGuest.CodeAddress..]);
        plant.Code.CopyTo(Memory[((int)LongModeGuest.CodeAddress + _prefix.Length)..]);
        Memory[((int)LongModeGuest.CodeAddress + _prefix.Length + plant.Code.Length)..][..32].Fill(0xF4);
        Reset(new GeneralRegisters
        {
            Rip = LongModeGuest.CodeAddress,
            Rsp = LongModeGuest.StackTop,
            Rflags = 2 | plant.Flags,
            Rax = Secret,
            Rcx = plant.Count,
            Rdx = Port,
            Rbx = plant.Destination,
            Rsi = plant.Source,
            Rdi = plant.Destination,
        });
        try
        {
            return _guest.Machine.Run().Reason;
        }
        catch (HypervisorException exception)
        {
            Assert.Fail($"{plant}: {exception.Message}");
            throw;
        }
    }

    /// <summary>Executes the same few instructions each time.</summary>
    /// <returns>What they did that they should not have done, or <see langword="null"/>.</returns>
    private string? Probe()
    {
        _pristine.CopyTo(Memory);
        Reset(new GeneralRegisters { Rip = ProbeAddress, Rsp = LongModeGuest.StackTop, Rflags = 2 });
        VmExit exit = RunProbe();
        if (exit != VmExit.IoOut(Port, unchecked((uint)Fresh), 4))
        {
            return exit.ToString();
        }

        exit = RunProbe();
        ulong read = BitConverter.ToUInt64(Memory[((int)ProbeAddress + 0x94)..]);
        return exit == VmExit.Halt && read == Fresh ? null : $"{exit}, 0x{read:X} read";
    }

    /// <summary>The watchdog may have been late, and meant the instruction before, or not know that this thread has not run.</summary>
    private VmExit RunProbe()
    {
        long begun = Environment.TickCount64;
        VmExit exit;
        int attempts = 10;
        do
        {
            exit = _guest.Machine.Run();
        }
        while (exit.Reason == VmExitReason.Cancelled && --attempts > 0 && Environment.TickCount64 - begun < PatienceWithProbe.TotalMilliseconds);
        return exit;
    }

    /// <summary>In the order of a restore and the call that follows it.</summary>
    private void Reset(GeneralRegisters registers)
    {
        // What the guest may have done to registers that are not these is the subject of other tests.
        _guest.Machine.DiscardPendingState();
        _guest.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters);
        _guest.Machine.SetGeneralRegisters(registers);
        _guest.Machine.SetFpuRegisters(FpuRegisters.Reset);
    }

    private bool IsPrefixKnown()
    {
        byte[] code = [.. EmulationPrefix, 0x90, 0xF4];
        code.CopyTo(Memory[(int)LongModeGuest.CodeAddress..]);
        Reset(new GeneralRegisters { Rip = LongModeGuest.CodeAddress, Rsp = LongModeGuest.StackTop, Rflags = 2 });
        return _guest.Machine.Run() == VmExit.Halt;
    }

    private sealed record Plant(byte[] Code, ulong Source, ulong Destination, ulong Count, ulong Flags)
    {
        public override string ToString() =>
            $"{Convert.ToHexString(Code)}, RSI = 0x{Source:X}, RDI = 0x{Destination:X}, RCX = {Count}, flags 0x{Flags:X}";
    }
}
