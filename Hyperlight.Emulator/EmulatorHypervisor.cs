using System.Runtime.CompilerServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator;

/// <summary>
/// An x86-64 emulator in managed code: runs guests on machines without a hypervisor. It interprets guest code, and compiles
/// code that runs often: to machine code on x64 hosts, elsewhere to .NET IL if the runtime can compile that. The guest is in 64-bit mode at any privilege level, with x87,
/// MMX and the vector instructions up to SSE4.2.
/// </summary>
/// <remarks>
/// Not supported: compatibility mode (a transfer to 32-bit code ends the run with <see cref="VmExitReason.EmulationFailure"/>),
/// alignment checks (#AC), breakpoints on I/O ports.
/// </remarks>
public sealed class EmulatorHypervisor : IHypervisor
{
    internal const string DriverName = "emulator";

    /// <summary>The widths of physical addresses that x86-64 knows.</summary>
    private const byte FewestAddressBits = 32;
    private const byte MostAddressBits = 52;

    private readonly EmulatorOptions _options;
    private readonly CodeCache _code;
    private readonly DecodedCodeCache _decodedCode;
    private readonly FilePageStore _files = new();
    private HypervisorStatus? _status;

    /// <summary>Creates the driver.</summary>
    /// <param name="options">How its machines work; <see langword="null"/> for the defaults.</param>
    public EmulatorHypervisor(EmulatorOptions? options = null)
    {
        _options = options ?? new EmulatorOptions();
        _code = new CodeCache(_options.MostSharedBytes, CodeTiers.Create(_options));
        _decodedCode = new DecodedCodeCache(_options.MostSharedDecodedBytes);
    }

    /// <summary>The size of the compiled code that its machines share.</summary>
    internal long SharedCodeSize => _code.Size;

    /// <summary>The size of the decoded code that its machines share.</summary>
    internal long SharedDecodedSize => _decodedCode.Size;

    /// <summary>The memory for emitted machine code that is in use.</summary>
    internal long CodeMemorySize => (_code.Compiler as EmittingCompiler)?.Size ?? 0;

    /// <summary>Asks all machines to give their code up.</summary>
    internal void ReleaseCode() => _code.Holders.Release(null);

    /// <summary>The pages of files that its machines use.</summary>
    internal FilePageStore FilePages => _files;

    /// <inheritdoc/>
    public string Name => DriverName;

    /// <inheritdoc/>
    public string ProcessorVendor => Cpuid.Vendor;

    /// <inheritdoc/>
    /// <remarks>Its processor is the same on all machines, but not the random numbers of its instructions if they have a seed.</remarks>
    public string GuestProcessor => _options.RandomSeed is { } seed ? $"seed {seed}" : string.Empty;

    /// <inheritdoc/>
    public bool CountsInstructions => true;

    /// <inheritdoc/>
    public bool InjectsInterrupts => true;

    /// <summary>Always usable. The reason says whether guest code is compiled or interpreted.</summary>
    public HypervisorStatus Probe() => _status ??= HypervisorStatus.Usable(
        Describe(_options.TranslateHotCode, CodeTiers.WhyNoMachineCode(_options), RuntimeFeature.IsDynamicCodeCompiled));

    /// <summary>How guest code is executed.</summary>
    /// <param name="isWanted">Whether the options permit to compile it.</param>
    /// <param name="whyNoMachineCode">Why it cannot become machine code, or <see langword="null"/> if it can.</param>
    /// <param name="isCompiled">Whether the runtime can compile code.</param>
    internal static string Describe(bool isWanted, string? whyNoMachineCode, bool isCompiled) => (isWanted, whyNoMachineCode, isCompiled) switch
    {
        (false, _, _) => "interprets guest code, because translation is off; no hypervisor needed",
        (_, null, _) => "compiles guest code to machine code; no hypervisor needed",
        (_, { } why, true) => $"compiles guest code to .NET IL, because {why}; no hypervisor needed",
        (_, { } why, false) => $"interprets guest code, because this runtime compiles no code and {why}; no hypervisor needed",
    };

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The width of physical addresses is not 32 to 52 bits.</exception>
    /// <exception cref="GuestMsrException">The processor does not have a register that the policy adds.</exception>
    public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PhysicalAddressBits, FewestAddressBits, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.PhysicalAddressBits, MostAddressBits, nameof(options));
        return new EmulatorVirtualMachine(in options, _options, _code, _decodedCode, _files);
    }

    /// <inheritdoc/>
    public IMemoryRegion AllocateMemory(nuint size)
    {
        try
        {
            return new NativeRegion(size);
        }
        catch (OutOfMemoryException exception)
        {
            throw new HypervisorException(
                DriverName, "AllocateMemory", 0, $"there are no {size} bytes of memory", innerException: exception);
        }
    }

    /// <summary>
    /// Opens a file for mapping into a guest. A page is read when the guest first uses it, and kept in memory: the guest
    /// does not see later changes. All machines share the page.
    /// </summary>
    /// <inheritdoc/>
    public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        PreparedMapping.Prepare(path, guestAddress, label, FileRegion.Open);
}
