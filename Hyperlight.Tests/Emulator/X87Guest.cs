using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Kvm;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator;

/// <summary>A guest of the managed machine whose exceptions end in an OUT to the port of their vector.</summary>
internal static class X87Guest
{
    public const uint PortOfVectors = 0x100;
    private const ulong GdtAddress = 0x5000;
    private const ulong IdtAddress = 0x6000;
    private const ulong HandlersAddress = 0x9000;
    private const int HandlerSize = 16;
    private const ushort CodeSelector = 8;

    /// <summary>Runs instructions until they halt, and returns the machine's state.</summary>
    public static FpuRegisters Run(Action<Assembler> code)
    {
        using LongModeGuest guest = Create(code);
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        return guest.Machine.GetFpuRegisters();
    }

    public static LongModeGuest Create(Action<Assembler> code, ulong cr0 = 0x8005_0033, ulong cr4 = 0x4_0620)
    {
        var guest = new LongModeGuest(new EmulatorHypervisor(), c =>
        {
            c.fninit();
            code(c);
            c.hlt();
        });
        BinaryPrimitives.WriteUInt64LittleEndian(
            guest.Memory.GetSpan((nuint)GdtAddress + CodeSelector, 8), 0x00AF_9B00_0000_FFFF);
        for (uint vector = 0; vector < 32; vector++)
        {
            ulong handler = HandlersAddress + (vector * HandlerSize);
            BinaryPrimitives.WriteUInt64LittleEndian(
                guest.Memory.GetSpan((nuint)IdtAddress + (vector * 16), 8), handler | (CodeSelector << 16) | (0x8EUL << 40));
            guest.Memory.Write((nuint)handler, LongModeGuest.Assemble(c =>
            {
                c.mov(AssemblerRegisters.edx, PortOfVectors + vector);
                c.@out(AssemblerRegisters.dx, AssemblerRegisters.eax);
                c.hlt();
            }));
        }

        guest.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters with
        {
            Cr0 = cr0,
            Cr4 = cr4,
            Gdtr = new DescriptorTableRegister { Base = GdtAddress, Limit = 15 },
            Idtr = new DescriptorTableRegister { Base = IdtAddress, Limit = 0xFFF },
        });
        return guest;
    }

    /// <summary>The vector of the exception that the guest ran into.</summary>
    public static uint RunToException(LongModeGuest guest)
    {
        VmExit exit = guest.Machine.Run();
        Assert.That(exit.Reason, Is.EqualTo(VmExitReason.IoOut));
        return exit.Port - PortOfVectors;
    }
}
