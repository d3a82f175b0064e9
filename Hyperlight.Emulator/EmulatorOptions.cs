using Hyperlight.Emulator.Compilation;

namespace Hyperlight.Emulator;

/// <summary>Options of the emulator.</summary>
public sealed class EmulatorOptions
{
    /// <summary>
    /// Whether code that runs often is translated to code of the host. Default <see langword="true"/>; without effect where
    /// the operating system gives no executable memory, or the host is not x64, and the runtime cannot compile code while it
    /// runs, as after ahead-of-time compilation: everything is interpreted there.
    /// </summary>
    public bool TranslateHotCode { get; init; } = true;

    /// <summary>
    /// Where the numbers of RDRAND and RDSEED start: machines with the same seed give their guests the same numbers. Any
    /// value is a seed; such numbers are no secret, and are for runs that have to be repeated. Default
    /// <see langword="null"/>: the cryptographic random numbers of the host.
    /// </summary>
    public ulong? RandomSeed { get; init; }

    /// <summary>Whether repeated string instructions execute many elements at once. Tests compare both ways.</summary>
    internal bool JoinsStringElements { get; init; } = true;

    /// <summary>How often a block is interpreted before it is translated. Tests lower it; otherwise the compiler knows.</summary>
    internal int? HotThreshold { get; init; }

    /// <summary>
    /// Whether code predicts in which pages its operands are from when it is compiled for the first time, and not only where the guest is seen to
    /// spend its time. By default where the threshold is set: tests execute such code then.
    /// </summary>
    internal bool? PredictsAll { get; init; }

    /// <summary>What translates code.</summary>
    internal CodeTier Tier { get; init; }

    /// <summary>
    /// Whether emitted machine code is verified before it is used, which takes much longer than to emit it. The default is
    /// the switch of the application context, which is off.
    /// </summary>
    internal bool VerifiesEmittedCode { get; init; } =
        AppContext.TryGetSwitch("Hyperlight.Emulator.VerifyEmittedCode", out bool verifies) && verifies;

    /// <summary>The most memory of the host, in bytes, that the decoded code of one machine may take. Tests lower it.</summary>
    internal long MostDecodedBytes { get; init; } = 32 << 20;

    /// <summary>The most memory of the host, in bytes, for decoded code that machines of one driver share. Tests lower it.</summary>
    internal long MostSharedDecodedBytes { get; init; } = 32 << 20;

    /// <summary>The most memory of the host, in bytes, that the compiled code of one machine may take. Tests lower it.</summary>
    internal long MostCompiledBytes { get; init; } = 64 << 20;

    /// <summary>The most memory of the host, in bytes, for compiled code that machines of one driver share. Tests lower it.</summary>
    internal long MostSharedBytes { get; init; } = 64 << 20;

    /// <summary>
    /// Whether guests can use every model-specific register that the processor has, whatever the policy says, as on a
    /// hypervisor that cannot deny registers. Simulations of such hypervisors set it.
    /// </summary>
    internal bool PermitsAllMsrs { get; init; }

    /// <summary>Of those, the ones that guests can only read.</summary>
    internal IReadOnlyList<uint> ReadOnlyMsrs { get; init; } = [];
}
