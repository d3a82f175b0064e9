using Hyperlight.Abstractions;

namespace Hyperlight.Host.Snapshots;

/// <summary>
/// What a snapshot keeps of a vCPU: where calls enter the guest, and the registers that the guest sets up once. Everything
/// else is set at the start of each call.
/// </summary>
/// <param name="DispatchAddress">Guest virtual address at which calls enter the guest.</param>
/// <param name="StackPointer">The stack pointer of every call.</param>
/// <param name="Special">Segment, descriptor-table and control registers. CR3 is not used: the image says where its tables are.</param>
/// <param name="Xcr0">The vector state that the guest has enabled; <see langword="null"/> for that of a fresh machine.</param>
/// <param name="Msrs">The model-specific registers that differ from those of a fresh machine, and those that the configuration adds.</param>
/// <param name="TimeStamp">
/// The time-stamp counter, without what the guest has added to it; <see langword="null"/> if it is not known. The counter of
/// a machine that is put here is never below.
/// </param>
internal sealed record ProcessorState(
    ulong DispatchAddress,
    ulong StackPointer,
    SpecialRegisters Special,
    ulong? Xcr0,
    IReadOnlyList<ModelSpecificRegister> Msrs,
    ulong? TimeStamp = null);
