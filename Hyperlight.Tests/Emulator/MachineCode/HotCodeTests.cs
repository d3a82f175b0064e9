using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>
/// Guests that write new code all the time, and run it often enough that it is compiled, one machine after the other: the memory
/// for emitted code stays within its bound, and is free when the machines and their driver are gone.
/// </summary>
[TestFixture, NonParallelizable]
internal sealed class HotCodeTests
{
    /// <summary>For how many seconds machines are run one after the other; without it, for a few machines.</summary>
    private const string SecondsVariable = "HYPERLIGHT_HOT_CODE_SECONDS";

    private const uint First = 0x20_0000;
    private const int Size = 0x2_0000;
    private const int FunctionSize = 64;
    private const int Calls = 4;
    private const int FewestMachines = 12;
    private const long Limit = 1 << 20;

    [SetUp]
    public void Require() => EmittingHost.Require();

    [Test]
    public void Memory_for_code_is_bounded_and_freed()
    {
        // Drivers of other tests keep theirs.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        int before = CodeChunk.Count;
        Run();
        CollectUntil(before);

        Assert.That(CodeChunk.Count, Is.LessThanOrEqualTo(before));
    }

    /// <summary>Without that, machines that do not run would keep all others from being compiled for as long as they exist.</summary>
    [Test]
    public void Machines_that_do_not_run_give_up_their_code_for_one_that_does()
    {
        var hypervisor = new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2, Tier = CodeTier.Machine, MostSharedBytes = Limit });
        var idle = new List<LongModeGuest>();
        try
        {
            do
            {
                Assert.That(idle, Has.Count.LessThan(200));
                idle.Add(CreateMachine(hypervisor, (uint)idle.Count * 1000, out _));
                Assert.That(idle[^1].Machine.Run(), Is.EqualTo(VmExit.Halt));

                // Only what is in use counts.
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            while (hypervisor.CodeMemorySize < Limit);

            LongModeGuest[] holding = [.. idle.Where(HasCode)];
            using LongModeGuest running = CreateLoop(hypervisor);
            var machine = (EmulatorVirtualMachine)running.Machine;

            // The thread pool asks the others, when it comes to that.
            for (var time = Stopwatch.StartNew(); machine.CompiledSize == 0 && time.Elapsed < TimeSpan.FromMinutes(1);)
            {
                machine.InstructionBudget = 1_000_000;
                Assert.That(machine.Run(), Is.EqualTo(VmExit.InstructionBudgetExhausted));
            }

            Assert.That(machine.CompiledSize, Is.Positive);
            Assert.That(hypervisor.CodeMemorySize, Is.LessThanOrEqualTo(Limit));

            // There can be room left in the last chunk: others need more than that.
            LongModeGuest? former;
            while ((former = Array.Find(holding, static guest => !HasCode(guest))) is null && idle.Count < 200)
            {
                idle.Add(CreateMachine(hypervisor, (uint)idle.Count * 1000, out _));
                Assert.That(idle[^1].Machine.Run(), Is.EqualTo(VmExit.Halt));
            }

            // What gave up its code goes on.
            Assert.That(former, Is.Not.Null);
            former!.Machine.SetGeneralRegisters(former.Machine.GetGeneralRegisters() with { Rip = LongModeGuest.CodeAddress, Rbx = 0, R8 = 5 });
            Assert.That(former.Machine.Run(), Is.EqualTo(VmExit.Halt));
            Assert.That(former.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(SumOf(5)));
        }
        finally
        {
            idle.ForEach(static guest => guest.Dispose());
        }
    }

    /// <summary>A machine that runs is not waited for: it gives its code up also if its run ends just then.</summary>
    [Test]
    public void A_machine_whose_run_ends_gives_up_its_code()
    {
        var hypervisor = new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2, Tier = CodeTier.Machine });
        using LongModeGuest guest = CreateLoop(hypervisor);
        var machine = (EmulatorVirtualMachine)guest.Machine;
        var run = new Thread(() => machine.Run());
        run.Start();
        Assert.That(() => hypervisor.CodeMemorySize, Is.Positive.After(60_000, 10));

        machine.Cancel();
        hypervisor.ReleaseCode();

        run.Join();
        Assert.That(machine.CompiledSize, Is.Zero);
    }

    /// <summary>Emitted code that leads to emitted code for ever does not keep the memory: the machine leaves it when it is asked to.</summary>
    [Test, EndsWithin(300)]
    public void A_machine_that_stays_in_its_code_gives_that_up_while_it_runs()
    {
        var hypervisor = new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2, Tier = CodeTier.Machine });
        using LongModeGuest guest = CreateLoop(hypervisor);
        var machine = (EmulatorVirtualMachine)guest.Machine;
        var run = new Thread(() => machine.Run());
        run.Start();
        Assert.That(() => machine.CodeEntries, Is.Positive.After(60_000, 10));
        long before = machine.CodeEntries;
        try
        {
            hypervisor.ReleaseCode();

            Assert.That(() => machine.CodeEntries, Is.GreaterThan(before).After(60_000, 10), "it compiles its loop again");
            Assert.That(run.IsAlive, Is.True, "a request for the code does not end the run");
        }
        finally
        {
            machine.Cancel();
            run.Join();
        }
    }

    /// <summary>One guest that makes code all the time leaves memory to others.</summary>
    [Test]
    public void A_machine_has_at_most_half_of_the_memory_for_code()
    {
        var hypervisor = new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2, Tier = CodeTier.Machine, MostSharedBytes = Limit });
        using LongModeGuest guest = CreateMachine(hypervisor, 0, out ManagedMemoryRegion code);
        using (code)
        {
            var machine = (EmulatorVirtualMachine)guest.Machine;
            long largest = 0;
            VmExit exit;
            do
            {
                machine.InstructionBudget = 1000;
                exit = machine.Run();
                largest = Math.Max(largest, machine.CompiledSize);
            }
            while (exit == VmExit.InstructionBudgetExhausted);

            Assert.That(exit, Is.EqualTo(VmExit.Halt));
            Assert.That(largest, Is.GreaterThan(Limit / 8).And.LessThanOrEqualTo(Limit / 2));
        }
    }

    private static bool HasCode(LongModeGuest guest) => ((EmulatorVirtualMachine)guest.Machine).CompiledSize != 0;

    /// <summary>A request to give code up can still be in the thread pool's queue, and keeps the machine until it is done.</summary>
    private static void CollectUntil(int count)
    {
        const int Attempts = 500;
        for (int i = 0; i < Attempts && CodeChunk.Count > count; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(i < 10 ? 0 : 10);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Run()
    {
        _ = int.TryParse(Environment.GetEnvironmentVariable(SecondsVariable), NumberStyles.None, CultureInfo.InvariantCulture, out int seconds);
        var hypervisor = new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2, Tier = CodeTier.Machine, MostSharedBytes = Limit });
        var time = Stopwatch.StartNew();
        long largest = 0;
        int machines = 0;
        for (; machines < FewestMachines || time.Elapsed < TimeSpan.FromSeconds(seconds); machines++)
        {
            RunMachine(hypervisor, (uint)machines * 1000);
            largest = Math.Max(largest, hypervisor.CodeMemorySize);
            Assert.That(hypervisor.CodeMemorySize, Is.LessThanOrEqualTo(Limit));
        }

        TestContext.Out.WriteLine($"{machines} machines, {time.Elapsed.TotalSeconds:F0} s, at most {largest} bytes of code");
        Assert.That(largest, Is.Positive);
    }

    /// <summary>Half of the machines are not disposed.</summary>
    private static void RunMachine(EmulatorHypervisor hypervisor, uint seed)
    {
        LongModeGuest guest = CreateMachine(hypervisor, seed, out ManagedMemoryRegion code);
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(SumOf(seed)));
        if (seed % 2000 == 0)
        {
            guest.Dispose();
            code.Dispose();
        }
    }

    /// <summary>A guest that writes functions and calls each of them several times.</summary>
    private static LongModeGuest CreateMachine(EmulatorHypervisor hypervisor, uint seed, out ManagedMemoryRegion code)
    {
        var guest = new LongModeGuest(hypervisor, static c =>
        {
            Label next = c.CreateLabel();
            Label again = c.CreateLabel();
            c.mov(edi, First);
            c.Label(ref next);
            c.mov(__byte_ptr[rdi], 0xB8);
            c.mov(__dword_ptr[rdi + 1], r8d);
            c.mov(__byte_ptr[rdi + 5], 0x05);
            c.mov(__dword_ptr[rdi + 6], edi);
            c.mov(__byte_ptr[rdi + 10], 0xC3);
            c.mov(ebp, Calls);
            c.Label(ref again);
            c.call(rdi);
            c.add(rbx, rax);
            c.dec(ebp);
            c.jne(again);
            c.inc(r8d);
            c.add(edi, FunctionSize);
            c.cmp(edi, First + Size);
            c.jb(next);
            c.hlt();
        });
        code = new ManagedMemoryRegion(Size);
        guest.Machine.MapMemory(1, GuestMapping.Whole(First, code, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));
        guest.Machine.SetGeneralRegisters(guest.Machine.GetGeneralRegisters() with { R8 = seed });
        return guest;
    }

    /// <summary>A guest that does not end.</summary>
    private static LongModeGuest CreateLoop(EmulatorHypervisor hypervisor) => new(hypervisor, static c =>
    {
        Label again = c.CreateLabel();
        c.Label(ref again);
        c.inc(rax);
        c.jmp(again);
    });

    /// <summary>The sum that the guest of a machine works out.</summary>
    private static ulong SumOf(uint seed)
    {
        ulong sum = 0;
        for (uint i = 0; i < Size / FunctionSize; i++)
        {
            sum += Calls * (ulong)(seed + i + First + (i * FunctionSize));
        }

        return sum;
    }
}
