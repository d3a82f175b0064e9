using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.Vectors;

/// <summary>A guest that executes a few instructions on XMM registers, and whose exceptions end at a port.</summary>
internal sealed class VectorGuest : IDisposable
{
    public const uint MaskedMxcsr = FpuRegisters.MxcsrReset;
    private const ulong GdtAddress = 0x5000;
    private const ulong IdtAddress = 0x6000;
    private const ulong HandlerAddress = 0x9000;
    private const int HandlerSize = 16;
    private const ushort CodeSelector = 8;
    private const byte ExceptionPort = 0x64;
    private const int Vectors = 32;

    private readonly LongModeGuest _guest;
    private FpuRegisters _fpu = FpuRegisters.Reset;

    public VectorGuest(Action<Assembler> code)
    {
        _guest = new LongModeGuest(new EmulatorHypervisor(), c =>
        {
            code(c);
            c.hlt();
        });
        BinaryPrimitives.WriteUInt64LittleEndian(
            _guest.Memory.GetSpan((nuint)GdtAddress + CodeSelector, 8), 0x00AF_9B00_0000_FFFF);
        for (int i = 0; i < Vectors; i++)
        {
            ulong handler = HandlerAddress + (ulong)(HandlerSize * i);
            BinaryPrimitives.WriteUInt64LittleEndian(
                _guest.Memory.GetSpan((nuint)IdtAddress + (nuint)(16 * i), 8),
                handler | ((ulong)CodeSelector << 16) | (0x8EUL << 40));
            int vector = i;
            _guest.Memory.Write(
                (nuint)handler, LongModeGuest.Assemble(c => { c.push(rax); c.mov(eax, vector); c.@out(ExceptionPort, eax); }));
        }

        Special = LongModeGuest.SpecialRegisters with
        {
            Gdtr = new DescriptorTableRegister { Base = GdtAddress, Limit = 15 },
            Idtr = new DescriptorTableRegister { Base = IdtAddress, Limit = (16 * Vectors) - 1 },
        };
    }

    /// <summary>CR0 and CR4 among them, to change before <see cref="Run"/>.</summary>
    public SpecialRegisters Special { get; set; }

    public uint Mxcsr { get => _fpu.Mxcsr; set => _fpu.Mxcsr = value; }

    /// <summary>General registers; RIP and RSP are set by <see cref="Run"/>.</summary>
    public GeneralRegisters General { get; set; } = new() { Rflags = GeneralRegisters.RflagsReset };

    public IMemoryRegion Memory => _guest.Memory;

    public UInt128 this[int register]
    {
        get => _fpu.Xmm[register];
        set
        {
            XmmRegisters xmm = _fpu.Xmm;
            xmm[register] = value;
            _fpu.Xmm = xmm;
        }
    }

    /// <summary>Executes the code; the vector of the exception that ended it, or -1.</summary>
    public int Run()
    {
        _guest.Machine.SetSpecialRegisters(Special);
        _guest.Machine.SetFpuRegisters(_fpu);
        _guest.Machine.SetGeneralRegisters(
            General with { Rip = LongModeGuest.CodeAddress, Rsp = LongModeGuest.StackTop });
        VmExit exit = _guest.Machine.Run();
        _fpu = _guest.Machine.GetFpuRegisters();
        General = _guest.Machine.GetGeneralRegisters();
        if (exit == VmExit.Halt)
        {
            return -1;
        }

        int vector = (int)General.Rax;
        Assert.That(exit, Is.EqualTo(VmExit.IoOut(ExceptionPort, (uint)vector, 4)));
        return vector;
    }

    public void Dispose() => _guest.Dispose();
}
