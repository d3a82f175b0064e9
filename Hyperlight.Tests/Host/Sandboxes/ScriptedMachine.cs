using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Elf;
using Moq;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>
/// A mocked hypervisor whose guest is a script: each <see cref="IVirtualMachine.Run"/> takes the next step, which may look at
/// and change the guest's scratch memory and says how the vCPU exits. Memory is real, everything else is Moq.
/// </summary>
internal sealed class ScriptedMachine
{
    public const ulong DispatchAddress = 0x1234;
    public const ulong StackPointer = 0xFFFF_FEFF_FFFF_FFE0;

    /// <summary>The size of every file that is prepared.</summary>
    public const uint FileSize = 0x3000;

    private readonly Queue<Func<VmExit>> _steps = new();
    private readonly Dictionary<uint, GuestMapping> _mappings = [];
    private GeneralRegisters _registers;
    private SpecialRegisters _special;

    private delegate void SetRegisters(in GeneralRegisters registers);

    private delegate void SetSpecial(in SpecialRegisters registers);

    private delegate void Map(uint slot, in GuestMapping mapping);

    public ScriptedMachine()
    {
        Machine.Setup(m => m.SetGeneralRegisters(It.Ref<GeneralRegisters>.IsAny))
            .Callback(new SetRegisters((in GeneralRegisters registers) =>
            {
                _registers = registers;
                RegistersSet.Add(registers);
            }));
        Machine.Setup(m => m.SetSpecialRegisters(It.Ref<SpecialRegisters>.IsAny))
            .Callback(new SetSpecial((in SpecialRegisters registers) => _special = registers));
        Machine.Setup(m => m.GetSpecialRegisters()).Returns(() => _special);
        Machine.Setup(m => m.GetGeneralRegisters()).Returns(() => _registers);
        Machine.Setup(m => m.MapMemory(It.IsAny<uint>(), It.Ref<GuestMapping>.IsAny))
            .Callback(new Map((uint slot, in GuestMapping mapping) =>
            {
                ThrowIf(MapFailure, slot);
                _mappings.Add(slot, mapping);
            }));
        Machine.Setup(m => m.UnmapMemory(It.IsAny<uint>())).Callback((uint slot) =>
        {
            ThrowIf(UnmapFailure, slot);
            _mappings.Remove(slot);
        });
        Machine.Setup(m => m.Run()).Returns(() => _steps.Count > 0
            ? _steps.Dequeue()()
            : throw new InvalidOperationException("The script has no further step."));

        Hypervisor.Setup(h => h.Name).Returns("mock");
        Hypervisor.Setup(h => h.ProcessorVendor).Returns("MockedVendor");
        Hypervisor.Setup(h => h.Probe()).Returns(HypervisorStatus.Usable("scripted"));
        Hypervisor.Setup(h => h.AllocateMemory(It.IsAny<nuint>())).Returns((nuint size) => Wrap(Track(new ManagedMemoryRegion(size))));
        Hypervisor.Setup(h => h.PrepareFileMapping(It.IsAny<string>(), It.IsAny<ulong>(), It.IsAny<string?>()))
            .Returns((string path, ulong address, string? label) =>
                PreparedMapping.Prepare(path, address, label, _ => Track(new ManagedMemoryRegion(FileSize))));
        Hypervisor.Setup(h => h.CreateVirtualMachine(It.Ref<VirtualMachineOptions>.IsAny)).Returns(() => Machine.Object);
    }

    public Mock<IHypervisor> Hypervisor { get; } = new();

    public Mock<IVirtualMachine> Machine { get; } = new();

    /// <summary>The special registers that the host wrote last.</summary>
    public SpecialRegisters Special => _special;

    /// <summary>Every set of general registers the host wrote, in order.</summary>
    public List<GeneralRegisters> RegistersSet { get; } = [];

    /// <summary>Every region that was allocated, to see that all are released.</summary>
    public List<ManagedMemoryRegion> Regions { get; } = [];

    /// <summary>What a test makes of memory that is allocated from now on.</summary>
    public Func<IMemoryRegion, IMemoryRegion> Wrap { get; set; } = static region => region;

    public IReadOnlyDictionary<uint, GuestMapping> Mappings => _mappings;

    /// <summary>The slot that cannot be filled, and what is thrown then.</summary>
    public (uint Slot, Exception Failure)? MapFailure { get; set; }

    /// <summary>The slot that cannot be emptied, and what is thrown then.</summary>
    public (uint Slot, Exception Failure)? UnmapFailure { get; set; }

    /// <summary>The next machine starts with nothing mapped.</summary>
    public void Forget() => _mappings.Clear();

    public IMemoryRegion Scratch => _mappings[1].Region;

    public bool AllReleased => Regions.TrueForAll(r => r.Handle.IsClosed);

    /// <summary>A builder over this hypervisor with a guest that is never executed.</summary>
    public SandboxBuilder Builder() => new SandboxBuilder()
        .WithHypervisor(Hypervisor.Object)
        .WithGuest(GuestBinary.FromBytes(TestElf.OfCode([0xF4]).Build()))
        .WithPrint(_ => { });

    /// <summary>A sandbox whose guest has initialised as it should.</summary>
    public MultiUseSandbox Build()
    {
        Initialise();
        return Builder().Build();
    }

    public ScriptedMachine Then(Func<VmExit> step)
    {
        _steps.Enqueue(step);
        return this;
    }

    public ScriptedMachine Then(VmExit exit) => Then(() => exit);

    /// <summary>The guest's initialisation: says where its dispatcher and stack are, and halts.</summary>
    public ScriptedMachine Initialise(ulong stackPointer = StackPointer, Action? look = null) => Then(() =>
    {
        look?.Invoke();
        _registers = _registers with { Rax = DispatchAddress, Rsp = stackPointer };
        return Halt;
    });

    /// <summary>The guest answers with a message and halts.</summary>
    public ScriptedMachine Answer(byte[] message) => Then(() =>
    {
        PopInput();
        PushOutput(message);
        return Halt;
    });

    public static VmExit Halt => VmExit.IoOut(108, 0, 4);

    /// <summary>Takes the message that the host pushed, as a guest would.</summary>
    public byte[] PopInput() => GuestBuffers.Pop(Scratch.GetSpan(0, GuestBuffers.DefaultSize));

    /// <summary>Pushes a message for the host, as a guest would.</summary>
    public void PushOutput(byte[] message) =>
        GuestBuffers.Push(Scratch.GetSpan(GuestBuffers.DefaultSize, GuestBuffers.DefaultSize), message);

    private static void ThrowIf((uint Slot, Exception Failure)? failure, uint slot)
    {
        if (failure?.Slot == slot)
        {
            throw failure.Value.Failure;
        }
    }

    private ManagedMemoryRegion Track(ManagedMemoryRegion region)
    {
        Regions.Add(region);
        return region;
    }
}
