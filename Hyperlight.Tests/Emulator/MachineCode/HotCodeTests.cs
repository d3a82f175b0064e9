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
        CollectUntil(0);
        int before = CodeChunk.Count;
        Run();
        CollectUntil(before);

        Assert.That(CodeChunk.Count, Is.LessThanOrEqualTo(before));
    }

    private static void CollectUntil(int count)
    {
        for (int i = 0; i < 10 && CodeChunk.Count > count; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
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
        var code = new ManagedMemoryRegion(Size);
        guest.Machine.MapMemory(1, GuestMapping.Whole(First, code, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));
        guest.Machine.SetGeneralRegisters(guest.Machine.GetGeneralRegisters() with { R8 = seed });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        ulong sum = 0;
        for (uint i = 0; i < Size / FunctionSize; i++)
        {
            sum += Calls * (ulong)(seed + i + First + (i * FunctionSize));
        }

        Assert.That(guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(sum));
        if (seed % 2000 == 0)
        {
            guest.Dispose();
            code.Dispose();
        }
    }
}
