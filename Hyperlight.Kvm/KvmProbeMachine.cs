using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>
/// A small machine in 64-bit mode at CPL 0 with SSE, as guests begin in. Its memory is mapped one to one; the second 2 MiB of
/// virtual addresses are for the user of this class.
/// </summary>
internal sealed class KvmProbeMachine : IDisposable
{
    /// <summary>Where to put code that is to be executed, and a page of memory.</summary>
    public const int Code = 0x3000;

    /// <summary>The first address that is not used by this class.</summary>
    public const int Free = 0x4000;

    /// <summary>Where the entry for virtual addresses from 2 MiB on is.</summary>
    public const int SecondEntry = PageDirectory + sizeof(ulong);

    public const ulong PresentWritable = 3;

    private const nuint MemorySize = 0x8000;
    private const int PageDirectories = 0x1000;
    private const int PageDirectory = 0x2000;
    private const ulong LargePage = 0x80;

    private readonly LinuxMemoryRegion _memory;
    private readonly KvmVirtualMachine _machine;

    /// <exception cref="HypervisorException">KVM refused.</exception>
    public KvmProbeMachine(KvmSystem system, KickSignal kick)
    {
        _memory = LinuxMemoryRegion.Allocate(system.Kernel, KvmHypervisor.DriverName, MemorySize);
        try
        {
            _machine = KvmVirtualMachine.Create(system, kick, new VirtualMachineOptions(), keepsPageTables: false);
            try
            {
                WriteEntry(0, PageDirectories | PresentWritable);
                WriteEntry(PageDirectories, PageDirectory | PresentWritable);
                WriteEntry(PageDirectory, PresentWritable | LargePage);
                _machine.MapMemory(0, GuestMapping.Whole(0, _memory, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));
            }
            catch
            {
                _machine.Dispose();
                throw;
            }
        }
        catch
        {
            _memory.Dispose();
            throw;
        }
    }

    private static SpecialRegisters SpecialRegisters => new()
    {
        Cs = new SegmentRegister { Attributes = 0x209B },
        Tr = new SegmentRegister { Limit = 0xFFFF, Attributes = 0x8B },
        Cr0 = 0x8005_0033,
        Cr4 = 0x620,
        Efer = 0xD01,
    };

    /// <summary>Replaces bytes of memory.</summary>
    public void Write(int address, params ReadOnlySpan<byte> bytes) => _memory.Write((nuint)address, bytes);

    /// <summary>Writes an entry of a page table.</summary>
    public void WriteEntry(int address, ulong entry)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, entry);
        Write(address, bytes);
    }

    /// <summary>Executes what is at a virtual address, until the first exit.</summary>
    /// <exception cref="HypervisorException">KVM failed.</exception>
    public VmExitReason Run(ulong address)
    {
        _machine.DiscardPendingState();
        _machine.SetSpecialRegisters(SpecialRegisters);
        _machine.SetGeneralRegisters(new GeneralRegisters { Rip = address, Rsp = MemorySize, Rflags = GeneralRegisters.RflagsReset });
        return _machine.Run().Reason;
    }

    public void Dispose()
    {
        try
        {
            _machine.Dispose();
        }
        finally
        {
            _memory.Dispose();
        }
    }
}
