using Hyperlight.Tests.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.Vectors;

/// <summary>The instructions on general registers that came with the vector extensions: CRC32, MOVBE and MOVNTI.</summary>
[TestFixture]
internal sealed class GeneralExtensionTests
{
    /// <summary>The check value of CRC-32C, of "123456789", by steps of 8 bytes and 1.</summary>
    [Test]
    public void CRC32_gives_the_check_value()
    {
        using var guest = new VectorGuest(c =>
        {
            c.mov(rbx, BitConverter.ToUInt64("12345678"u8));
            c.mov(rax, ulong.MaxValue);
            c.crc32(rax, rbx);
            c.mov(ecx, '9');
            c.crc32(eax, cl);
            c.not(eax);
        });

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest.General.Rax, Is.EqualTo(0xE306_9283));
    }

    [Test]
    public void CRC32_by_parts_is_the_same()
    {
        using var guest = new VectorGuest(c =>
        {
            c.mov(rbx, 0x8877_6655_4433_2211);
            c.crc32(rax, rbx);
            c.crc32(ecx, ebx);
            c.shr(rbx, 32);
            c.crc32(ecx, bx);
            c.shr(rbx, 16);
            c.crc32(ecx, bl);
            c.crc32(ecx, bh);
        });

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest.General.Rcx, Is.EqualTo(guest.General.Rax));
        Assert.That(guest.General.Rax, Is.Not.Zero);
    }

    [Test]
    public void MOVBE_swaps_on_the_way_to_and_from_memory()
    {
        using var guest = new VectorGuest(c =>
        {
            c.mov(ebx, (uint)LongModeGuest.DataAddress);
            c.mov(rax, 0x1122_3344_5566_7788);
            c.movbe(__[rbx], rax);
            c.mov(rcx, __[rbx]);
            c.mov(rdx, -1L);
            c.movbe(dx, __[rbx]);
            c.mov(rsi, -1L);
            c.movbe(esi, __[rbx + 1]);
        });

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest.General.Rcx, Is.EqualTo(0x8877_6655_4433_2211));
        Assert.That(guest.General.Rdx, Is.EqualTo(0xFFFF_FFFF_FFFF_1122));
        Assert.That(guest.General.Rsi, Is.EqualTo(0x2233_4455));
    }

    [Test]
    public void MOVNTI_stores()
    {
        using var guest = new VectorGuest(c =>
        {
            c.mov(ebx, (uint)LongModeGuest.DataAddress + 3);
            c.mov(rax, 0x1122_3344_5566_7788);
            c.movnti(__[rbx], eax);
            c.mov(rcx, __[rbx]);
        });

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest.General.Rcx, Is.EqualTo(0x5566_7788));
    }
}
