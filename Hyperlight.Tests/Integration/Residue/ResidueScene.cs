using System.Text;
using Hyperlight.Abstractions;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>
/// One sandbox and two tenants. The first one does what it likes and is stopped; the sandbox is restored; the second one
/// executes a probe: all registers and all memory are compared when it is entered, and it makes accesses that a hypervisor
/// may emulate, the answers to which are known.
/// </summary>
internal sealed class ResidueScene : IDisposable
{
    /// <summary>The host function that throws what it is told to.</summary>
    public const string ThrowingFunction = "Throws";

    /// <summary>The host function that makes a call on the sandbox that calls it.</summary>
    public const string NestedFunction = "Nested";

    /// <summary>The instructions of code that does not end. A call that is to end after some time has no such limit, which it might reach before.</summary>
    public const long Budget = 5_000_000;

    private const ulong FileAddress = 0x3000_0000;
    private const int DataOffset = (int)(GuestCode.DataAddress - GuestCode.CodeAddress);
    private const int ProbeOffset = GuestPage.Size;
    private const int FreshOffset = 0x800;
    private const int Fresh = 0x4652_4553;
    private const char FreshCharacter = '\u2713';
    private const byte DebugPort = 103;

    private readonly TestTarget _target;
    private readonly ObservedHypervisor _hypervisor;
    private readonly IMemoryRegion _region;
    private readonly StringBuilder _printed = new();
    private readonly TestFiles _files = new();

    public ResidueScene(TestTarget target)
    {
        _target = target;
        _hypervisor = new ObservedHypervisor(target.Hypervisor);
        _region = target.Hypervisor.AllocateMemory(GuestCode.RegionSize);
        _region.Write(ProbeOffset, Probe());
        _region.Write(ProbeOffset + FreshOffset, BitConverter.GetBytes((uint)FreshCharacter));
        _region.Write(ProbeOffset + FreshOffset + sizeof(uint), BitConverter.GetBytes(Fresh));
        Sandbox = Configure(target.Builder()).Build();
        Snapshot = Sandbox.TakeSnapshot();
        Sandbox.Restore(Snapshot);
        if (RunProbe(Sandbox) is { } problem)
        {
            throw new AssertionException($"the probe does not work: {problem}");
        }

        Clean = Machine.StateAtEntry;
    }

    /// <summary>The sandbox of both tenants.</summary>
    public MultiUseSandbox Sandbox { get; }

    /// <summary>What it is restored to.</summary>
    public Snapshot Snapshot { get; }

    /// <summary>The state at the entry of a probe before which no tenant has run.</summary>
    public SortedDictionary<string, object> Clean { get; }

    /// <summary>The machine that was created last.</summary>
    public ObservedMachine Machine => _hypervisor.Machine;

    /// <summary>What the host function throws.</summary>
    public Exception ToThrow { get; set; } = new InvalidOperationException("planted");

    /// <summary>Executes code of the first tenant, which does not return.</summary>
    /// <param name="code">The code.</param>
    /// <param name="patience">How long it may take.</param>
    /// <param name="prepare">What is to be mapped besides.</param>
    /// <returns>How the call ended; <see langword="null"/> if it returned.</returns>
    public Exception? Execute(GuestCode code, TimeSpan patience, Action<MultiUseSandbox>? prepare = null)
    {
        _region.Clear(0, GuestPage.Size);
        _region.Write(0, code.Code);
        _region.Clear(DataOffset, GuestCode.RegionSize - DataOffset);
        _region.Write(DataOffset, code.Data);
        Map(Sandbox);
        prepare?.Invoke(Sandbox);
        Sandbox.Call("MapPhysical", GuestCode.DataAddress, (ulong)(GuestCode.RegionSize - DataOffset));
        Sandbox.Call("MapPhysical", GuestCode.Missing, (ulong)GuestPage.Size);
        try
        {
            Sandbox.Call<int>("MapAndExecute", [GuestCode.CodeAddress], BudgetOf(patience));
            return null;
        }
        catch (Exception exception) when (exception is HyperlightException or OperationCanceledException)
        {
            return exception;
        }
    }

    /// <summary>Has the first tenant read a file that became shorter, where a file that is mapped can.</summary>
    public void ReadTruncatedFile()
    {
        string path = _files.New("truncated", 2 * GuestPage.Size);
        Sandbox.MapFile(path, FileAddress);
        if (!_target.KeepsMappedFilesLong)
        {
            TestFiles.Truncate(path, 1);
        }

        Sandbox.Call<ulong>("MapAndRead", FileAddress + GuestPage.Size);
    }

    /// <summary>Restores the sandbox, and has the second tenant look.</summary>
    /// <returns>What it found that is not as it was; nothing if all is well.</returns>
    public IReadOnlyList<string> Restore() => RestoreTo(Snapshot, Clean);

    /// <summary>The same for any snapshot of which the state at entry is known.</summary>
    public IReadOnlyList<string> RestoreTo(Snapshot snapshot, SortedDictionary<string, object> clean)
    {
        Sandbox.Restore(snapshot);
        return Look(Sandbox, clean);
    }

    /// <summary>The same for a sandbox of its own, which is made from the snapshot.</summary>
    public IReadOnlyList<string> LookFromAnotherSandbox()
    {
        ObservedMachine machine = Machine;
        using MultiUseSandbox other = Configure(_target.Builder().WithSnapshot(Snapshot)).Build();
        IReadOnlyList<string> found = Look(other, Clean);
        _hypervisor.Machine = machine;
        return found;
    }

    public void Dispose()
    {
        Sandbox.Dispose();
        Snapshot.Dispose();
        _region.Dispose();
        _files.Dispose();
    }

    private List<string> Look(MultiUseSandbox sandbox, SortedDictionary<string, object> clean)
    {
        List<string> found = [];
        if (RunProbe(sandbox) is { } problem)
        {
            found.Add(problem);
        }

        found.AddRange(MachineState.Differences(clean, Machine.StateAtEntry));
        return found;
    }

    /// <summary>Executes the probe, which is the first thing that the guest does.</summary>
    private string? RunProbe(MultiUseSandbox sandbox)
    {
        _region.Clear(0, GuestPage.Size);
        _region.Clear(DataOffset, GuestCode.RegionSize - DataOffset);
        Map(sandbox);
        _printed.Clear();
        Machine.Arm();
        int read = sandbox.Call<int>("MapAndExecute", [GuestCode.CodeAddress + ProbeOffset], BudgetOf(TimeSpan.FromMinutes(1)));
        string printed = _printed.ToString();
        return read == Fresh && printed == FreshCharacter.ToString() ? null : $"the probe printed '{printed}' and read 0x{read:X}";
    }

    private CallBudget BudgetOf(TimeSpan patience) =>
        new() { WallClockTime = patience, Instructions = _target.Hypervisor.CountsInstructions ? Budget : null };

    private void Map(MultiUseSandbox sandbox)
    {
        if (sandbox.Mappings.Count == 0)
        {
            sandbox.MapRegion(_region, GuestCode.CodeAddress, MemoryFlags.Read | MemoryFlags.Execute);
        }
    }

    /// <summary>An OUTS, which every hypervisor emulates, and a read, which one without hardware emulates.</summary>
    private static byte[] Probe() => GuestCode.Assemble(
        static c =>
        {
            c.mov(rsi, GuestCode.Window + FreshOffset);
            c.mov(edx, DebugPort);
            c.outsd();
            c.mov(eax, __dword_ptr[rsi]);
            c.ret();
        },
        GuestCode.Window);

    private SandboxBuilder Configure(SandboxBuilder builder) => builder
        .WithHypervisor(_hypervisor)
        .WithDebugPrint(character => _printed.Append(character.ToString()))
        .WithHostFunction(ThrowingFunction, () => Throw())
        .WithHostFunction(NestedFunction, () => Sandbox.Call<int>("Add", 1, 2))
        .WithConfiguration(new SandboxConfiguration { RandomSeed = 1 });

    private int Throw() => throw ToThrow;
}
