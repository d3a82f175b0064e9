namespace Hyperlight.Tests.Soak;

/// <summary>A sandbox, and what it has to answer.</summary>
internal sealed class Tenant
{
    private const uint KernelGsBase = 0xC000_0102;
    private const int DebugAddressRegisters = 4;
    private const ulong AddressMask = 0x0000_7FFF_FFFF_F000;

    private readonly ulong _plant;
    private int _counter;

    /// <summary>Takes a sandbox that no guest has planted anything in.</summary>
    /// <exception cref="SoakFailure">Something is found in it, or it is not in the state it should be in.</exception>
    public Tenant(MultiUseSandbox sandbox, ulong plant, int counter)
    {
        Sandbox = sandbox;
        _plant = plant;
        Enter(counter);
    }

    public MultiUseSandbox Sandbox { get; }

    /// <summary>Whether the guest has planted something, which a snapshot would hold.</summary>
    public bool HasPlanted { get; private set; }

    public bool IsPoisoned => Sandbox.Status == SandboxStatus.Poisoned;

    /// <summary>The files that are mapped: their numbers.</summary>
    public List<int> Files { get; } = [];

    /// <summary>Counts one further.</summary>
    public void Count() => SoakFailure.Check(Sandbox.Call<int>("IncrementCounter"), ++_counter, "The counter");

    /// <summary>Plants the value in memory and in registers, and sees that it can be found.</summary>
    public void PlantEverywhere()
    {
        HasPlanted = true;
        Sandbox.Call("PlantScratch", _plant);
        Sandbox.Call<ulong>("PlantHeapAndStack", _plant, 0x1000U);
        for (int i = 0; i < DebugAddressRegisters; i++)
        {
            Sandbox.Call("SetDr", i, _plant & AddressMask);
        }

        Sandbox.Call("WriteMsr", KernelGsBase, _plant & AddressMask);
        if (Sandbox.Call<ulong>("CountPlanted", _plant) == 0)
        {
            throw new SoakFailure("A guest does not find what it has planted itself.");
        }
    }

    public CheckedSnapshot TakeSnapshot() => new(Sandbox.TakeSnapshot(), _counter);

    /// <summary>Restores a snapshot.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public void Restore(CheckedSnapshot snapshot)
    {
        Sandbox.Restore(snapshot.Snapshot);
        Files.Clear();
        Enter(snapshot.Counter);
    }

    /// <summary>The guest is another one now. It must find nothing of the one before, or of any other.</summary>
    private void Enter(int counter)
    {
        HasPlanted = false;
        _counter = counter;
        SoakFailure.Check(Sandbox.Status, SandboxStatus.Ready, "The status of a new or restored sandbox");
        SoakFailure.Check(Sandbox.Call<ulong>("CountPlanted", _plant), 0UL, "The number of words of another guest");
        for (int i = 0; i < DebugAddressRegisters; i++)
        {
            SoakFailure.Check(Sandbox.Call<ulong>("GetDr", i), 0UL, $"DR{i} of a new guest");
        }

        SoakFailure.Check(Sandbox.Call<ulong>("ReadMsr", KernelGsBase), 0UL, "KERNEL_GS_BASE of a new guest");
        SoakFailure.Check(Sandbox.Call<int>("GetCounter"), counter, "The counter of a new or restored guest");
    }
}
