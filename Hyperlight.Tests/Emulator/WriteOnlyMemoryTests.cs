using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>A guest cannot read memory that is only mapped for writing, however it tries.</summary>
[TestFixture]
internal sealed class WriteOnlyMemoryTests
{
    private const uint Address = 0x20_0000;
    private const nuint Size = 0x1000;

    [Test]
    public void An_instruction_that_reads_and_writes_cannot_read_what_was_written_before([Values] bool isCompiled)
    {
        var options = new EmulatorOptions { TranslateHotCode = isCompiled, HotThreshold = 1 };
        using var guest = new LongModeGuest(new EmulatorHypervisor(options), static c =>
        {
            c.mov(edi, Address);
            c.mov(__dword_ptr[rdi], edi);
            c.add(__dword_ptr[rdi], edi);
            c.hlt();
        });
        using var memory = new ManagedMemoryRegion(Size);
        guest.Machine.MapMemory(1, GuestMapping.Whole(Address, memory, MemoryFlags.Write));

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.AccessViolation(Address, MemoryFlags.Read)));
    }
}
