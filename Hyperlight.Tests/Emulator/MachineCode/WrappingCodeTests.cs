using System.Buffers.Binary;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>Code that goes on from the last address to the first one: it goes round without a branch to a lower address.</summary>
[TestFixture]
internal sealed class WrappingCodeTests
{
    private const ulong Last = 0xFFFF_FFFF_FFFF_FFF0;
    private const int PageDirectories = 0x4000;
    private const int PageDirectory = 0x5000;
    private const int PageTable = 0x6000;
    private const int LastPage = 0x7000;
    private const int RootTable = 0x1000;
    private const int LastEntry = 511 * 8;
    private const ulong PresentWritable = 3;
    private const byte Nop = 0x90;

    [SetUp]
    public void Require() => EmittingHost.Require();

    /// <param name="atEnd">What the last bytes are: instructions that follow each other, or one that ends behind the last address.</param>
    [Test, EndsWithin(300)]
    public void It_is_cancelled([Values("nops", "crossing")] string atEnd)
    {
        using LongModeGuest guest = Create(atEnd == "crossing");

        EndlessGuest.Run(guest.Machine);
    }

    private static LongModeGuest Create(bool isCrossing)
    {
        var hypervisor = new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2, Tier = CodeTier.Machine });
        var guest = new LongModeGuest(hypervisor, static c =>
        {
            c.mov(rax, Last);
            c.jmp(rax);
        });
        Span<byte> memory = guest.Memory.GetSpan(0, 0x10000);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[(RootTable + LastEntry)..], PageDirectories | PresentWritable);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[(PageDirectories + LastEntry)..], PageDirectory | PresentWritable);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[(PageDirectory + LastEntry)..], PageTable | PresentWritable);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[(PageTable + LastEntry)..], LastPage | PresentWritable);
        Span<byte> last = memory.Slice(LastPage + 0xFF0, 16);
        last.Fill(Nop);
        ReadOnlySpan<byte> first;
        if (isCrossing)
        {
            // NOP of three bytes, of which two are at the first addresses; then a jump.
            last[^1] = 0x0F;
            first = [0x1F, 0x00, 0xEB, 0xEC];
        }
        else
        {
            first = [0xEB, 0xEE];
        }

        first.CopyTo(memory);
        return guest;
    }
}
