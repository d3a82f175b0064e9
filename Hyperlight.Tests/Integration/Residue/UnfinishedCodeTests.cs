using Hyperlight.Tests.Emulator.Differential;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>The first tenant is stopped in the middle of an instruction, or with an event that waits.</summary>
internal sealed class UnfinishedCodeTests(TestTarget target) : ResidueTest(target)
{
    private const int DirectionFlag = 0x400;

    /// <summary>
    /// One of so many is executed; with the variable <see cref="TestSettings.LongVariable"/>, all of them. Primes, so that
    /// no member of any list is always left out.
    /// </summary>
    private const int PartOfEvents = 13;
    private const int PartOfAccesses = 101;
    private const int PartOfStrings = 307;

    /// <summary>Some accesses never end, and some code is an endless loop.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(20);

    [Test]
    public void No_pending_event_reaches_the_next_tenant()
    {
        IEnumerable<GuestCode> events = Some(PendingEvents.All, PartOfEvents);
        if (QemuProcessor.Runs(Target.Hypervisor))
        {
            TestContext.Out.WriteLine("Without data breakpoints: this KVM's processor is emulated by QEMU, which crashes when a guest meets one.");
            events = events.Where(static e => !e.Name.Contains(PendingEvents.DataBreakpointName, StringComparison.Ordinal));
        }

        AssertNothingSurvives(events, Patience);
    }

    /// <summary>Between all kinds of memory, in both directions, with every port.</summary>
    [Test]
    public void No_string_instruction_leaves_anything() => AssertNothingSurvives(
        Some(
            from code in AccessOpcodes.StringInstructions
            from source in Places
            from destination in Places
            from port in GuestCode.Ports
            from count in new[] { 1, 3, 5000 }
            from flags in new[] { 0, DirectionFlag }
            select Access(code, source, destination, port, count, flags),
            PartOfStrings),
        Patience);

    [Test]
    public void No_instruction_with_a_memory_operand_leaves_anything() => AssertNothingSurvives(
        Some(AccessOpcodes.MemoryInstructions.Select(static (code, i) => Access(code, Places[0], i % 4 == 3 ? Places[1] : Places[0], GuestCode.UnknownPort, 1, 0)), PartOfAccesses),
        Patience);

    /// <summary>Missing memory, its end, what can only be read, and the stack, which is 0 here.</summary>
    private static ulong[] Places { get; } = [GuestCode.Missing + 0x100, GuestCode.Missing - 3, GuestCode.DataAddress + 0x100, 0];

    private static IEnumerable<GuestCode> Some(IEnumerable<GuestCode> all, int part) =>
        TestSettings.IsLong ? all : all.Where((_, i) => i % part == 0);

    private static GuestCode Access(byte[] code, ulong source, ulong destination, ushort port, int count, int flags) => new(
        $"{Convert.ToHexString(code)}, RSI 0x{source:X}, RDI 0x{destination:X}, port {port}, RCX {count}, flags 0x{flags:X}",
        c =>
        {
            GuestCode.SetFlags(c, (uint)flags);
            Load(c, rsi, source);
            Load(c, rdi, destination);
            c.mov(edx, port);
            c.mov(ecx, count);
            c.mov(rax, 0x5EC2_E75E_C2E7_5EC2);
            c.mov(rbx, rdi);
            c.db(code);
            GuestCode.Exit(c);
        });

    private static void Load(Assembler c, AssemblerRegister64 register, ulong place)
    {
        if (place == 0)
        {
            c.lea(register, __[rsp - 0x800]);
        }
        else
        {
            c.mov(register, place);
        }
    }
}
