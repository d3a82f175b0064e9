using Hyperlight.Abstractions;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>A way in which a call ends.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Call">Makes the call.</param>
/// <param name="NeedsCounter">Whether the machine has to count instructions.</param>
internal sealed record CallEnding(string Name, Action<ResidueScene> Call, bool NeedsCounter = false);

/// <summary>
/// The ways in which a call ends: whatever the guest can report, execute, send and access, by the lists of the library, and
/// one for each further exception of the library. <see cref="CallEndingTests"/> compares what they cause with the library's types.
/// </summary>
internal static class CallEndings
{
    private const int Short = 20;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(Short);

    /// <summary>Exceptions that no call ends with; each with the reason.</summary>
    public static IReadOnlyDictionary<Type, string> ThrownByOtherOperations { get; } = new Dictionary<Type, string>
    {
        [typeof(HyperlightException)] = "the base of the others",
        [typeof(HypervisorNotAvailableException)] = "building",
        [typeof(GuestMsrException)] = "building",
        [typeof(UnsupportedConfigurationException)] = "building",
        [typeof(MemoryRequestException)] = "building",
        [typeof(GuestBinaryException)] = "reading a guest",
        [typeof(GuestVersionMismatchException)] = "building",
        [typeof(GuestInitializationException)] = "building",
        [typeof(FileMappingException)] = "mapping",
        [typeof(PoolClosedException)] = "renting",
        [typeof(PoolCreationException)] = "renting",
        [typeof(PoolQueueFullException)] = "renting",
        [typeof(PoolTimeoutException)] = "renting",
        [typeof(MappingOverlapException)] = "mapping",
        [typeof(MappingLimitException)] = "mapping",
        [typeof(SnapshotException)] = "taking a snapshot",
        [typeof(SnapshotFileException)] = "saving and loading",
        [typeof(SnapshotMismatchException)] = "restoring",
        [typeof(GuestValueTypeException)] = "reading a value of another type",
        [typeof(SandboxPoisonedException)] = "a call that does not begin",
        [typeof(SandboxInUseException)] = "a call that does not begin",
    };

    /// <summary>Exits that end no call here; each with the reason.</summary>
    public static IReadOnlyDictionary<VmExitReason, string> ExitsOfOtherMachines { get; } = new Dictionary<VmExitReason, string>
    {
        [VmExitReason.Unknown] = "a hypervisor that reports what its driver does not know",
        [VmExitReason.Debug] = "a hypervisor that debugs its guest",
        [VmExitReason.EmulationFailure] = "a hypervisor without hardware",
        [VmExitReason.InterruptWindow] = "a guest that has a timer; such an exit ends no call",
        [VmExitReason.InstructionBudgetExhausted] = "a hypervisor that counts instructions",
    };

    /// <summary>Reasons for which no call ends after which a sandbox is restored.</summary>
    public static IReadOnlyDictionary<CancellationReason, string> ReasonsWithoutRestore { get; } = new Dictionary<CancellationReason, string>
    {
        [CancellationReason.Disposal] = "nothing runs in a sandbox that was disposed",
    };

    /// <summary>All of them.</summary>
    public static IEnumerable<CallEnding> All => [.. Reports, .. Exceptions, .. PortAccesses, .. Failures, .. Others];

    private static IEnumerable<CallEnding> Reports =>
        from code in Enum.GetValues<GuestErrorCode>()
        from ending in new CallEnding[]
        {
            new($"error {code}", s => s.Sandbox.Call("ReturnError", (int)code, "planted")),
            new($"abort {code}", s => s.Sandbox.Call("AbortWithMessage", (int)code, "planted")),
        }
        select ending;

    /// <summary>Every vector of the processor.</summary>
    private static IEnumerable<CallEnding> Exceptions =>
        from vector in Enumerable.Range(0, 33)
        select OfCode(new GuestCode($"INT {vector}", c => { c.@int((byte)vector); GuestCode.Exit(c); }));

    private static IEnumerable<CallEnding> PortAccesses =>
        from port in GuestCode.Ports
        from code in new byte[][] { [0xEE], [0x66, 0xEF], [0xEF], [0xEC], [0x66, 0xED], [0xED] }
        select OfCode(new GuestCode($"port {port}, {Convert.ToHexString(code)}", c =>
        {
            c.mov(edx, port);
            c.mov(eax, 0x0041_0041);
            c.db(code);
            c.xor(eax, eax);
            c.ret();
        }));

    private static IEnumerable<CallEnding> Failures =>
    [
        .. new Exception[] { new HypervisorException("test", "Run", 5, "planted"), new InsufficientMemoryException("planted") }
            .Select(static failure => new CallEnding($"driver: {failure.GetType().Name}", s =>
            {
                s.Machine.FailAtNextExit(failure);
                s.Sandbox.Call("ReturnNothing");
            })),
        .. new Exception[]
        {
            new HypervisorException("test", "Run", 5, "planted"), new InsufficientMemoryException("planted"), new InvalidOperationException("planted"),
            new OperationCanceledException("planted"), new InsufficientExecutionStackException("planted"),
        }.Select(static failure => new CallEnding($"host function: {failure.GetType().Name}", s =>
        {
            s.ToThrow = failure;
            s.Sandbox.Call<int>("CallHostNamed", ResidueScene.ThrowingFunction);
        })),
    ];

    /// <summary>The endings of which there is one each.</summary>
    public static IEnumerable<CallEnding> Others =>
    [
        new("returns", static s => s.Sandbox.Call("ReturnNothing")),
        new("unknown function", static s => s.Sandbox.Call("NoSuchFunction")),
        new("result of another type", static s => s.Sandbox.Call<string>("Add", 1, 2)),
        new("destination that is too small", static s => s.Sandbox.CallInto("MakeBytes", new byte[1], 2, 0)),
        new("arguments that do not fit", static s => s.Sandbox.Call("SumBytes", new byte[1 << 20])),
        new("call during a call", static s => s.Sandbox.Call<int>("CallHostNamed", ResidueScene.NestedFunction)),
        new("unfinished abort", static s => s.Sandbox.Call("AbortHalfway")),
        new("malformed host call", static s => s.Sandbox.Call("SendRawHostCall", new byte[] { 1, 2, 3 })),
        new("halt without a result", static s => s.Sandbox.Call("HaltWithoutResult")),
        new("HLT", static s => s.Sandbox.Call("Hlt")),
        new("stack overflow", static s => s.Sandbox.Call("StackOverflow")),
        new("out of memory", static s => s.Sandbox.Call("ExhaustHeap")),
        new("triple fault", static s => s.Sandbox.Call("TripleFault")),
        new("write of the snapshot", static s => s.Sandbox.Call("WriteSnapshotPage")),
        new("read of missing memory", static s => s.Sandbox.Call<ulong>("MapAndRead", GuestCode.Missing)),
        new("write of missing memory", static s => s.Sandbox.Call("MapAndWrite", GuestCode.Missing, 1UL)),
        new("truncated file", static s => s.ReadTruncatedFile()),
        new("handle", static s => Cancel(s.Sandbox)),
        new("token", static s => { using var limit = new CancellationTokenSource(Patience); s.Sandbox.Call("SpinForever", [], limit.Token); }),
        new("timeout", static s => s.Sandbox.Call("SpinForever", [], Patience)),
        new("CPU time", static s => s.Sandbox.Call("SpinForever", [], new CallBudget { CpuTime = Patience })),
        new("host calls", static s => s.Sandbox.Call<int>("Print", ["planted"], new CallBudget { HostCalls = 0 })),
        new("printed bytes", static s => s.Sandbox.Call<int>("Print", ["planted"], new CallBudget { PrintedBytes = 3 })),
        new("bytes of the debug port", static s => s.Sandbox.Call("DebugPrint", ["planted"], new CallBudget { PrintedBytes = 3 })),
        new("log records", static s => s.Sandbox.Call("LogMessage", [1, "planted"], new CallBudget { LogRecords = 0 })),
        new("instructions", static s => s.Sandbox.Call("SpinForever", [], new CallBudget { Instructions = ResidueScene.Budget }), NeedsCounter: true),
    ];

    private static CallEnding OfCode(GuestCode code) => new(code.Name, s =>
    {
        if (s.Execute(code, TimeSpan.FromSeconds(2)) is { } ending)
        {
            throw ending;
        }
    });

    private static void Cancel(MultiUseSandbox sandbox)
    {
        var timer = new Timer(_ => sandbox.InterruptHandle.Cancel(), null, Short, Short);
        try
        {
            sandbox.Call("SpinForever");
        }
        finally
        {
            // Waits for a request that is being made, which would be one for a later call.
            timer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }
}
