using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>
/// Finds out what this KVM makes of guest code at CPL 0. On a processor with virtualization it runs natively. A nested KVM
/// without one emulates it, and its emulator lacks many instructions. Which kind it is cannot be asked, only tried.
/// </summary>
internal static class KvmPrivilegedCode
{
    private const nuint MemorySize = 0x4000;
    private const int PageDirectories = 0x1000;
    private const int PageDirectory = 0x2000;
    private const int Code = 0x3000;
    private const byte Hlt = 0xF4;

    private const ulong PresentWritable = 3;
    private const ulong LargePage = 0x80;

    /// <summary>One of each group that guests are likely to use: SSE, a newer general instruction, an exception of software.</summary>
    private static readonly (string Name, byte[] Code)[] Instructions =
    [
        ("pxor", [0x66, 0x0F, 0xEF, 0xC0]),
        ("popcnt", [0xF3, 0x0F, 0xB8, 0xC0]),
        ("int3", [0xCC]),
    ];

    /// <summary>64-bit mode at CPL 0 with SSE, as guests begin in.</summary>
    private static SpecialRegisters SpecialRegisters => new()
    {
        Cs = new SegmentRegister { Attributes = 0x209B },
        Tr = new SegmentRegister { Limit = 0xFFFF, Attributes = 0x8B },
        Cr0 = 0x8005_0033,
        Cr4 = 0x620,
        Efer = 0xD01,
    };

    /// <summary>Executes a few instructions in a machine of its own.</summary>
    /// <returns>The names of those that KVM cannot execute; empty on a processor with virtualization.</returns>
    /// <exception cref="HypervisorException">No machine can be created or run.</exception>
    public static IReadOnlyList<string> FindUnsupported(KvmSystem system, KickSignal kick)
    {
        using LinuxMemoryRegion memory = LinuxMemoryRegion.Allocate(system.Kernel, KvmHypervisor.DriverName, MemorySize);
        using KvmVirtualMachine machine = KvmVirtualMachine.Create(system, kick, new VirtualMachineOptions());
        BuildPageTables(memory.GetSpan(0, (int)MemorySize));
        machine.MapMemory(0, GuestMapping.Whole(0, memory, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));
        List<string> unsupported = [];
        foreach ((string name, byte[] code) in Instructions)
        {
            memory.Write(Code, [.. code, Hlt]);
            machine.DiscardPendingState();
            machine.SetSpecialRegisters(SpecialRegisters);
            machine.SetGeneralRegisters(new GeneralRegisters { Rip = Code, Rsp = MemorySize, Rflags = GeneralRegisters.RflagsReset });

            // A processor may lack an instruction, and int3 has no handler here: that shuts the guest down.
            if (machine.Run().Reason == VmExitReason.EmulationFailure)
            {
                unsupported.Add(name);
            }
        }

        return unsupported;
    }

    private static void BuildPageTables(Span<byte> memory)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(memory, PageDirectories | PresentWritable);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[PageDirectories..], PageDirectory | PresentWritable);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[PageDirectory..], PresentWritable | LargePage);
    }
}
