using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>A guest that begins to execute at every byte of its code does not fill the host's memory with decoded and compiled code.</summary>
[TestFixture]
internal sealed class CodeMemoryTests
{
    /// <summary>The first large page behind what <see cref="LongModeGuest"/> backs.</summary>
    private const uint SledAddress = 0x20_0000;
    private const int SledSize = 0x1000;
    private const int LargestRegion = 100_000;

    [Test]
    [EndsWithin(300)]
    public void Decoded_code_is_bounded_in_bytes()
    {
        const int Limit = 8 << 20;
        using SledGuest guest = new(new EmulatorOptions { TranslateHotCode = false, MostDecodedBytes = Limit }, step: 1);

        long largest = 0;
        while (guest.Run(budget: 100_000) == VmExit.InstructionBudgetExhausted)
        {
            largest = Math.Max(largest, guest.Machine.DecodedSize);
        }

        Assert.That(guest.Passes, Is.EqualTo(SledSize));
        Assert.That(largest, Is.GreaterThan(Limit / 4).And.LessThanOrEqualTo(Limit));
    }

    [Test]
    public void Decoded_code_is_bounded_within_one_run()
    {
        const int Limit = 1 << 20;
        using SledGuest guest = new(new EmulatorOptions { TranslateHotCode = false, MostDecodedBytes = Limit }, step: 3);

        Assert.That(guest.Run(long.MaxValue), Is.EqualTo(VmExit.Halt));
        Assert.That(guest.Machine.DecodedSize, Is.LessThanOrEqualTo(Limit));
    }

    [Test]
    [EndsWithin(300)]
    public void Compiled_code_is_bounded_in_bytes()
    {
        const int Limit = 256 << 10;
        using SledGuest guest = new(new EmulatorOptions { HotThreshold = 1, MostCompiledBytes = Limit, MostSharedBytes = Limit }, step: 67);

        long largest = 0;
        while (guest.Run(budget: 3000) == VmExit.InstructionBudgetExhausted)
        {
            largest = Math.Max(largest, guest.Machine.CompiledSize);
            Assert.That(guest.Hypervisor.SharedCodeSize, Is.LessThanOrEqualTo(Limit + LargestRegion));
        }

        Assert.That(largest, Is.GreaterThan(Limit / 4).And.LessThanOrEqualTo(Limit));
    }

    [Test]
    public void Nothing_is_kept_of_a_machine_that_was_disposed()
    {
        SledGuest guest = new(new EmulatorOptions { HotThreshold = 1 }, step: 501);
        guest.Run(long.MaxValue);
        Assert.That(guest.Machine.DecodedSize, Is.Positive);
        Assert.That(guest.Machine.CompiledSize, Is.Positive);

        guest.Dispose();

        Assert.That(guest.Machine.DecodedSize, Is.Zero);
        Assert.That(guest.Machine.CompiledSize, Is.Zero);
    }

    /// <summary>Whatever is forgotten while it runs, a guest does the same.</summary>
    [TestCase(4 << 10, 8 << 20)]
    [TestCase(64 << 10, 8 << 20)]
    [TestCase(8 << 20, 8 << 10)]
    [TestCase(8 << 20, 64 << 10)]
    [EndsWithin(300)]
    public void Limits_do_not_change_what_a_guest_does(int decoded, int compiled)
    {
        EmulatorOptions[] ways =
        [
            new() { TranslateHotCode = false },
            new() { TranslateHotCode = false, MostDecodedBytes = decoded },
            new() { HotThreshold = 2, MostDecodedBytes = decoded, MostCompiledBytes = compiled, MostSharedBytes = compiled },
        ];
        var states = new List<(VmExit, long, GeneralRegisters)>();
        foreach (EmulatorOptions way in ways)
        {
            using SledGuest guest = new(way, step: 301);
            VmExit exit;
            while ((exit = guest.Run(budget: 2500)) == VmExit.InstructionBudgetExhausted)
            {
            }

            states.Add((exit, guest.Machine.InstructionCount, guest.Machine.GetGeneralRegisters()));
        }

        Assert.That(states[0].Item1, Is.EqualTo(VmExit.Halt));
        Assert.That(states, Is.All.EqualTo(states[0]));
    }

    /// <summary>Calls a page of NOPs that ends with a return at one byte after another, so that few blocks are executed twice.</summary>
    private sealed class SledGuest : IDisposable
    {
        private readonly LongModeGuest _guest;
        private readonly ManagedMemoryRegion _sled = new(SledSize + 0x1000);

        public SledGuest(EmulatorOptions options, uint step)
        {
            Hypervisor = new EmulatorHypervisor(options);
            _guest = new LongModeGuest(Hypervisor, c =>
            {
                Label again = c.CreateLabel();
                c.mov(edi, SledAddress);
                c.Label(ref again);
                c.call(rdi);
                c.inc(rbx);
                c.add(rdi, (int)step);
                c.cmp(rdi, (int)SledAddress + SledSize);
                c.jb(again);
                c.hlt();
            });
            _sled.GetSpan(0, SledSize).Fill(0x90);
            _sled.Write(SledSize, [0xC3]);
            _guest.Machine.MapMemory(1, GuestMapping.Whole(SledAddress, _sled, MemoryFlags.Read | MemoryFlags.Execute));
        }

        public EmulatorHypervisor Hypervisor { get; }

        public EmulatorVirtualMachine Machine => (EmulatorVirtualMachine)_guest.Machine;

        public ulong Passes => Machine.GetGeneralRegisters().Rbx;

        public VmExit Run(long budget)
        {
            Machine.InstructionBudget = budget;
            return Machine.Run();
        }

        public void Dispose()
        {
            _guest.Dispose();
            _sled.Dispose();
        }
    }
}
