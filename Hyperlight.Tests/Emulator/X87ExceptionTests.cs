using Hyperlight.Abstractions;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>When x87 and MMX instructions fault, and that nothing has changed then.</summary>
[TestFixture]
internal sealed class X87ExceptionTests
{
    private const ulong Data = LongModeGuest.DataAddress;
    private const uint InvalidOpcode = 6;
    private const uint DeviceNotAvailable = 7;
    private const uint PageFault = 14;
    private const uint MathFault = 16;
    private const ulong Cr0 = 0x8005_0033;
    private const ulong MonitorCoprocessor = 2;
    private const ulong Emulation = 4;
    private const ulong TaskSwitched = 8;
    private const ulong NumericError = 0x20;

    [Test]
    public void An_unmasked_exception_waits_for_the_next_instruction()
    {
        ulong waiting = 0;
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            DivideByZeroUnmasked(c);
            c.fnstsw(ax);
            waiting = (ulong)LongModeGuest.Assemble(Prefix).Length;
            c.fld1();
        });

        Assert.That(X87Guest.RunToException(guest), Is.EqualTo(MathFault));

        // The result was not stored, and the return address is that of the instruction that waited.
        FpuRegisters fpu = guest.Machine.GetFpuRegisters();
        Assert.That(guest.Machine.GetGeneralRegisters().Rax & 0x80FF, Is.EqualTo(0x8084));
        Assert.That(fpu.St[0], Is.EqualTo(UInt128.Zero));
        ulong stack = guest.Machine.GetGeneralRegisters().Rsp;
        Assert.That(
            BitConverter.ToUInt64(guest.Memory.GetSpan((nuint)stack, 8)), Is.EqualTo(LongModeGuest.CodeAddress + waiting));

        static void Prefix(Assembler c)
        {
            c.fninit();
            DivideByZeroUnmasked(c);
            c.fnstsw(ax);
        }
    }

    [Test]
    public void An_exception_that_is_cleared_does_not_fault()
    {
        FpuRegisters fpu = X87Guest.Run(c => { DivideByZeroUnmasked(c); c.fnclex(); c.wait(); c.fld1(); });

        Assert.That(fpu.StatusWord & 0x80FF, Is.Zero);
    }

    [Test]
    public void Unmasking_an_exception_that_is_set_makes_it_pending()
    {
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            c.fldz();
            c.fld1();
            c.fdivrp(st1, st0);
            c.mov(__word_ptr[Data], 0x340);
            c.fld1();
            c.fldz();
            c.fdivp(st1, st0);
            c.fldcw(__word_ptr[Data]);
            c.wait();
        });

        Assert.That(X87Guest.RunToException(guest), Is.EqualTo(MathFault));
    }

    [Test]
    public void Without_numeric_error_reporting_nothing_faults()
    {
        using LongModeGuest guest = X87Guest.Create(c => { DivideByZeroUnmasked(c); c.fld1(); }, Cr0 & ~NumericError);

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [TestCase(Emulation, "fld1", DeviceNotAvailable)]
    [TestCase(TaskSwitched, "fld1", DeviceNotAvailable)]
    [TestCase(TaskSwitched | MonitorCoprocessor, "wait", DeviceNotAvailable)]
    [TestCase(TaskSwitched, "paddb", DeviceNotAvailable)]
    [TestCase(Emulation, "paddb", InvalidOpcode)]
    [TestCase(TaskSwitched, "fxsave", DeviceNotAvailable)]
    [TestCase(TaskSwitched, "xsave", DeviceNotAvailable)]
    public void The_control_register_makes_instructions_fault(ulong bits, string name, uint vector)
    {
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            c.mov(rax, (Cr0 & ~MonitorCoprocessor) | bits);
            c.mov(cr0, rax);
            Emit(c, name);
        });

        Assert.That(X87Guest.RunToException(guest), Is.EqualTo(vector));
    }

    [Test]
    public void Waiting_needs_both_bits_to_fault()
    {
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            c.mov(rax, (Cr0 & ~MonitorCoprocessor) | TaskSwitched);
            c.mov(cr0, rax);
            c.wait();
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    /// <summary>The first eight bytes are in the last page that is mapped, the last two behind it.</summary>
    [Test]
    public void A_store_that_faults_half_way_stores_nothing()
    {
        const ulong lastPage = 0x20_0000 - 8;
        using LongModeGuest guest = X87Guest.Create(c =>
        {
            c.fldpi();
            c.mov(rbx, lastPage);
            c.fstp(__tbyte_ptr[rbx]);
        });
        using IMemoryRegion page = new Hyperlight.Emulator.EmulatorHypervisor().AllocateMemory(0x1000);
        guest.Machine.MapMemory(1, GuestMapping.Whole(0x1F_F000, page, MemoryFlags.Read | MemoryFlags.Write));
        guest.Memory.Write(0x3008, new byte[8]);

        Assert.That(X87Guest.RunToException(guest), Is.EqualTo(PageFault));
        Assert.That(page.GetSpan(0xFF8, 8).ToArray(), Is.All.Zero);
        Assert.That(guest.Machine.GetFpuRegisters().TagWord, Is.EqualTo(0x80));
        Assert.That(guest.Machine.GetFpuRegisters().StatusWord & 0x3800, Is.EqualTo(7 << 11));
    }

    private static void DivideByZeroUnmasked(Assembler c)
    {
        c.mov(__word_ptr[Data], 0x37B);
        c.fldcw(__word_ptr[Data]);
        c.fld1();
        c.fldz();
        c.fdiv(st1, st0);
    }

    private static void Emit(Assembler c, string name)
    {
        switch (name)
        {
            case "fld1": c.fld1(); break;
            case "wait": c.wait(); break;
            case "paddb": c.paddb(mm0, mm1); break;
            case "fxsave": c.fxsave(__[Data]); break;
            default: c.xsave(__[Data]); break;
        }
    }
}
