namespace Hyperlight.Abstractions;

/// <summary>Why a vCPU stopped.</summary>
public enum VmExitReason
{
    /// <summary>The hypervisor reported something this library does not know; see <see cref="VmExit.RawCode"/>.</summary>
    Unknown,

    /// <summary>The guest executed HLT.</summary>
    Halt,

    /// <summary>The guest wrote to an I/O port. RIP is already past the instruction, or will be when the guest is entered again.</summary>
    IoOut,

    /// <summary>The guest read from an I/O port.</summary>
    IoIn,

    /// <summary>The guest read a guest physical address that nothing backs.</summary>
    MmioRead,

    /// <summary>The guest wrote a guest physical address that nothing backs, or that is mapped read-only.</summary>
    MmioWrite,

    /// <summary>The guest used a mapped address in a way its mapping does not permit, or whose host memory is gone.</summary>
    AccessViolation,

    /// <summary><see cref="IVirtualMachine.Cancel"/> was called.</summary>
    Cancelled,

    /// <summary>A breakpoint or single step.</summary>
    Debug,

    /// <summary>Triple fault: the guest faulted and could not handle it.</summary>
    Shutdown,

    /// <summary>The hypervisor had to emulate an instruction and could not.</summary>
    EmulationFailure,

    /// <summary>The guest executed as many instructions as <see cref="IInstructionCounter.InstructionBudget"/> allowed.</summary>
    InstructionBudgetExhausted,

    /// <summary>
    /// The guest can be interrupted now, which it could not be when <see cref="IInterruptInjector.TryInjectInterrupt"/> was called.
    /// </summary>
    InterruptWindow,
}

/// <summary>One exit of a vCPU: a plain value, valid after the next run too. Properties that a reason does not name are zero.</summary>
public readonly record struct VmExit
{
    private VmExit(VmExitReason reason) => Reason = reason;

    /// <summary>Why the vCPU stopped.</summary>
    public VmExitReason Reason { get; }

    /// <summary><see cref="VmExitReason.IoOut"/> and <see cref="VmExitReason.IoIn"/>: the port.</summary>
    public ushort Port { get; private init; }

    /// <summary>
    /// <see cref="VmExitReason.IoOut"/>: the value, zero-extended. <see cref="VmExitReason.MmioWrite"/>: the bytes written,
    /// the first in the low bits.
    /// </summary>
    public ulong Data { get; private init; }

    /// <summary>I/O and MMIO: how many bytes were accessed, 1 to 8; 0 of MMIO if the hypervisor does not say (MSHV).</summary>
    public byte AccessSize { get; private init; }

    /// <summary>MMIO and access violations: the guest physical address.</summary>
    public ulong Address { get; private init; }

    /// <summary><see cref="VmExitReason.AccessViolation"/>: what the guest attempted, as far as the hypervisor says.</summary>
    public MemoryFlags Attempted { get; private init; }

    /// <summary><see cref="VmExitReason.EmulationFailure"/> and <see cref="VmExitReason.Debug"/>: RIP at the instruction.</summary>
    public ulong Rip { get; private init; }

    /// <summary><see cref="VmExitReason.EmulationFailure"/>: the instruction's bytes, the first in the low bits.</summary>
    public UInt128 InstructionBytes { get; private init; }

    /// <summary>How many of <see cref="InstructionBytes"/> the hypervisor gave, 0 to 15.</summary>
    public byte InstructionLength { get; private init; }

    /// <summary><see cref="VmExitReason.Debug"/>: the exception vector, 1 or 3.</summary>
    public byte Vector { get; private init; }

    /// <summary><see cref="VmExitReason.Debug"/>: DR6.</summary>
    public ulong Dr6 { get; private init; }

    /// <summary>
    /// <see cref="VmExitReason.Unknown"/> and <see cref="VmExitReason.EmulationFailure"/>: the driver's own code for the exit.
    /// </summary>
    public uint RawCode { get; private init; }

    /// <summary>Detail of <see cref="RawCode"/>, such as KVM's suberror or hardware exit reason.</summary>
    public ulong RawDetail { get; private init; }

    /// <summary>An exit by HLT.</summary>
    public static VmExit Halt => new(VmExitReason.Halt);

    /// <summary>An exit by <see cref="IVirtualMachine.Cancel"/>.</summary>
    public static VmExit Cancelled => new(VmExitReason.Cancelled);

    /// <summary>An exit by triple fault.</summary>
    public static VmExit Shutdown => new(VmExitReason.Shutdown);

    /// <summary>An exit by an instruction budget that is used up.</summary>
    public static VmExit InstructionBudgetExhausted => new(VmExitReason.InstructionBudgetExhausted);

    /// <summary>An exit because the guest can be interrupted now.</summary>
    public static VmExit InterruptWindow => new(VmExitReason.InterruptWindow);

    /// <summary>A write to an I/O port.</summary>
    /// <param name="port">The port.</param>
    /// <param name="data">The value, zero-extended.</param>
    /// <param name="size">Bytes written: 1, 2 or 4.</param>
    public static VmExit IoOut(ushort port, uint data, byte size) =>
        new(VmExitReason.IoOut) { Port = port, Data = data, AccessSize = size };

    /// <summary>A read from an I/O port.</summary>
    /// <param name="port">The port.</param>
    /// <param name="size">Bytes wanted: 1, 2 or 4.</param>
    public static VmExit IoIn(ushort port, byte size) => new(VmExitReason.IoIn) { Port = port, AccessSize = size };

    /// <summary>A read of unbacked guest physical memory.</summary>
    /// <param name="address">Guest physical address.</param>
    /// <param name="size">Bytes wanted, 1 to 8.</param>
    public static VmExit MmioRead(ulong address, byte size) =>
        new(VmExitReason.MmioRead) { Address = address, AccessSize = size };

    /// <summary>A write to unbacked or read-only guest physical memory.</summary>
    /// <param name="address">Guest physical address.</param>
    /// <param name="data">The bytes written, the first in the low bits.</param>
    /// <param name="size">Bytes written, 1 to 8.</param>
    public static VmExit MmioWrite(ulong address, ulong data, byte size) =>
        new(VmExitReason.MmioWrite) { Address = address, Data = data, AccessSize = size };

    /// <summary>An access that the mapping of an address does not permit.</summary>
    /// <param name="address">Guest physical address.</param>
    /// <param name="attempted">What the guest attempted; <see cref="MemoryFlags.None"/> if the hypervisor does not say.</param>
    public static VmExit AccessViolation(ulong address, MemoryFlags attempted) =>
        new(VmExitReason.AccessViolation) { Address = address, Attempted = attempted };

    /// <summary>A breakpoint or single step.</summary>
    /// <param name="rip">RIP at the instruction.</param>
    /// <param name="vector">The exception vector, 1 or 3.</param>
    /// <param name="dr6">DR6.</param>
    public static VmExit Debug(ulong rip, byte vector, ulong dr6) =>
        new(VmExitReason.Debug) { Rip = rip, Vector = vector, Dr6 = dr6 };

    /// <summary>An instruction that the hypervisor could not emulate.</summary>
    /// <param name="rip">RIP at the instruction.</param>
    /// <param name="bytes">Its bytes, as far as known; at most 15 are kept.</param>
    /// <param name="rawCode">The driver's own code for the failure.</param>
    public static VmExit EmulationFailure(ulong rip, ReadOnlySpan<byte> bytes, uint rawCode)
    {
        int length = Math.Min(bytes.Length, 15);
        UInt128 packed = 0;
        for (int i = length - 1; i >= 0; i--)
        {
            packed = (packed << 8) | bytes[i];
        }

        return new VmExit(VmExitReason.EmulationFailure)
        {
            Rip = rip,
            InstructionBytes = packed,
            InstructionLength = (byte)length,
            RawCode = rawCode,
        };
    }

    /// <summary>An exit that this library does not know.</summary>
    /// <param name="rawCode">The driver's own code for it.</param>
    /// <param name="rawDetail">Further detail from the driver.</param>
    public static VmExit Unknown(uint rawCode, ulong rawDetail = 0) =>
        new(VmExitReason.Unknown) { RawCode = rawCode, RawDetail = rawDetail };

    /// <summary>A sentence for logs and error messages.</summary>
    public override string ToString() => Reason switch
    {
        VmExitReason.IoOut => $"OUT of {AccessSize} byte(s), value 0x{Data:X}, to port {Port}",
        VmExitReason.IoIn => $"IN of {AccessSize} byte(s) from port {Port}",
        VmExitReason.MmioRead => $"read of {AccessSize} byte(s) at unmapped guest physical address 0x{Address:X}",
        VmExitReason.MmioWrite => $"write of {AccessSize} byte(s) at unmapped or read-only guest physical address 0x{Address:X}",
        VmExitReason.AccessViolation => $"forbidden access ({Attempted}) at guest physical address 0x{Address:X}",
        VmExitReason.Debug => $"debug exception {Vector} at RIP 0x{Rip:X}",
        VmExitReason.Shutdown => "triple fault (shutdown)",
        VmExitReason.InstructionBudgetExhausted => "the instruction budget is used up",
        VmExitReason.InterruptWindow => "the guest can be interrupted",
        VmExitReason.EmulationFailure =>
            $"the hypervisor cannot emulate the instruction at RIP 0x{Rip:X} (bytes: {FormatInstruction()})",
        VmExitReason.Unknown => $"unknown exit, code {RawCode} (detail 0x{RawDetail:X})",
        _ => Reason.ToString(),
    };

    private string FormatInstruction()
    {
        if (InstructionLength == 0)
        {
            return "not reported";
        }

        Span<byte> bytes = stackalloc byte[InstructionLength];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(InstructionBytes >> (8 * i));
        }

        return Convert.ToHexString(bytes);
    }
}
