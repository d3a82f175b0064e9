using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Execution;

/// <summary>The vCPU's registers at the guest's entry point and at each call.</summary>
internal static class InitialRegisters
{
    // PE, MP, ET, NE, WP, AM, PG: protected mode with paging, write protection for the supervisor, native FPU errors.
    private const ulong Cr0 = 0x8005_0033;

    // PAE, OSFXSR, OSXMMEXCPT: what long mode and SSE need.
    private const ulong Cr4 = 0x620;

    // SCE, LME, LMA, NXE: SYSCALL, long mode enabled and active, no-execute pages.
    private const ulong Efer = 0xD01;

    // Present 64-bit code, execute and read, accessed, privilege level 0.
    private const ushort CodeAttributes = 0x209B;

    // Present busy 64-bit task state segment.
    private const ushort TaskAttributes = 0x008B;

    // The stack pointer is where a call would have left it: 8 below a multiple of 16.
    private const ulong ReturnAddressSize = 8;

    /// <summary>64-bit mode at privilege level 0 with the guest's page tables and no descriptor tables.</summary>
    public static SpecialRegisters Special(ulong pageTableAddress) => new()
    {
        Cr0 = Cr0,
        Cr3 = pageTableAddress,
        Cr4 = Cr4,
        Efer = Efer,
        Cs = new SegmentRegister { Attributes = CodeAttributes },
        Tr = new SegmentRegister { Attributes = TaskAttributes, Limit = 0xFFFF },
    };

    /// <summary>The first entry: the guest's entry point is called with four arguments on the exception stack.</summary>
    public static GeneralRegisters Entry(GuestMemory memory, ulong seed, GuestLogLevel logLevel) => new()
    {
        Rip = memory.EntryPoint,
        Rsp = GuestAddresses.ScratchVirtualTop - ScratchMetadata.ExceptionStackTop - ReturnAddressSize,
        Rflags = GeneralRegisters.RflagsReset,
        Rdi = memory.Layout.PebAddress,
        Rsi = seed,
        Rdx = GuestPage.Size,
        Rcx = (ulong)logLevel,
    };

    /// <summary>A call: the guest's dispatcher on its own stack, everything else zero.</summary>
    public static GeneralRegisters Dispatch(ulong dispatchAddress, ulong stackPointer) => new()
    {
        Rip = dispatchAddress,
        Rsp = stackPointer,
        Rflags = GeneralRegisters.RflagsReset,
    };
}
