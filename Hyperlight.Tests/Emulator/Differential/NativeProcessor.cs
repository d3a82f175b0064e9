using System.Runtime.InteropServices;
using Hyperlight.Linux.Interop;
using Hyperlight.Tests.Linux;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>
/// The processor that this process runs on. A trampoline loads every register from one state, jumps to the code under
/// test and stores every register to another; then it gives the host its own registers and control words back.
/// </summary>
internal sealed unsafe class NativeProcessor : IDisposable
{
    /// <summary>sys/mman.h: executable, and to fail rather than replace what is at the address.</summary>
    private const int PROT_EXEC = 4;
    private const int MAP_FIXED_NOREPLACE = 0x100000;

    private const int InputState = 0;
    private const int OutputState = 0x400;
    private const int HostStack = 0x800;
    private const int HostMxcsr = 0x808;
    private const int HostControlWord = 0x80C;
    private const int HostFlags = 0x202;
    private const int ArchSetGs = 0x1001;
    private const int PageSize = 0x1000;

    private static readonly AssemblerRegister64[] Registers =
        [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15];

    private readonly ulong _exit;
    private readonly NativeFaultHandler _faults;

    public NativeProcessor()
    {
        Require();
        nint mapped = LibC.mmap(
            (nint)TestMemory.Base,
            TestMemory.Size,
            LibC.PROT_NONE,
            LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
            -1,
            0);
        if (mapped != (nint)TestMemory.Base)
        {
            Assert.Ignore($"needs free address space at 0x{TestMemory.Base:X}: errno {Marshal.GetLastPInvokeError()}");
        }

        Permit(TestMemory.Code, TestMemory.CodeSize, LibC.PROT_READ | LibC.PROT_WRITE | PROT_EXEC);
        Permit(TestMemory.Trampoline, PageSize, LibC.PROT_READ | LibC.PROT_WRITE);
        Permit(TestMemory.TrampolineState, PageSize, LibC.PROT_READ | LibC.PROT_WRITE);
        Permit(
            TestMemory.SignalStack,
            (int)(TestMemory.Data - TestMemory.SignalStack) + TestMemory.DataSize,
            LibC.PROT_READ | LibC.PROT_WRITE);
        Permit(TestMemory.ReadOnly, PageSize, LibC.PROT_READ | LibC.PROT_WRITE);

        // Linux gives memory with the first write only: before that the page would be absent.
        *(ulong*)TestMemory.ReadOnly = 0;
        Permit(TestMemory.ReadOnly, PageSize, LibC.PROT_READ);
        Permit(TestMemory.Island, TestMemory.IslandSize, LibC.PROT_READ | LibC.PROT_WRITE);
        byte[] trampoline = AssembleTrampoline(out _exit, out ulong leave);
        trampoline.CopyTo(new Span<byte>((void*)TestMemory.Trampoline, PageSize));
        _faults = new NativeFaultHandler(leave, OutputState);
        Permit(TestMemory.Trampoline, PageSize, LibC.PROT_READ | PROT_EXEC);
        SetGsBase(TestMemory.GsBase);
    }

    /// <summary>The data as this processor sees it.</summary>
    public static Span<byte> Data => new((void*)TestMemory.Data, TestMemory.DataSize);

    /// <summary>The page behind the data that can be written.</summary>
    public static Span<byte> Island => new((void*)TestMemory.Island, TestMemory.IslandSize);

    /// <summary>Skips the test, saying why, where the code under test could not run natively.</summary>
    public static void Require()
    {
        if (RuntimeInformation.ProcessArchitecture != System.Runtime.InteropServices.Architecture.X64)
        {
            Assert.Ignore($"needs an x86-64 processor to compare with: this process is {RuntimeInformation.ProcessArchitecture}");
        }

        RealLinux.Require();
    }

    /// <summary>Where the code under test jumps at its end.</summary>
    public ulong Exit => _exit;

    /// <summary>The bytes at an address of the code area.</summary>
    public static Span<byte> Code(ulong address) =>
        new((void*)address, (int)(TestMemory.Code + TestMemory.CodeSize - address));

    /// <summary>Executes from <see cref="CpuState.Rip"/> until the code jumps to <see cref="Exit"/>.</summary>
    public void Run(in CpuState input, out CpuState output)
    {
        // SAFETY: both states are in mapped pages of their own, and the trampoline preserves what the ABI wants preserved.
        *(CpuState*)(TestMemory.TrampolineState + InputState) = input;
        ((delegate* unmanaged[Cdecl]<void>)TestMemory.Trampoline)();
        output = *(CpuState*)(TestMemory.TrampolineState + OutputState);
    }

    /// <summary>Executes until the code jumps to <see cref="Exit"/> or raises an exception, and says which.</summary>
    public Fault? RunToFault(in CpuState input, out CpuState output)
    {
        _faults.Begin();
        Run(in input, out output);
        return _faults.End();
    }

    public void Dispose()
    {
        SetGsBase(0);
        _faults.Dispose();
        _ = LibC.munmap((nint)TestMemory.Base, TestMemory.Size);
    }

    /// <summary>Of the calling thread. The host does not use GS.</summary>
    private static void SetGsBase(ulong address)
    {
        const int SYS_arch_prctl = 158;
        if (LibC.syscall(SYS_arch_prctl, ArchSetGs, (nint)address) != 0)
        {
            Assert.Ignore($"needs a base of GS: arch_prctl gave errno {Marshal.GetLastPInvokeError()}");
        }
    }

    private static void Permit(ulong address, int size, int protection)
    {
        if (LibC.mprotect((nint)address, (nuint)size, protection) != 0)
        {
            Assert.Ignore($"needs executable memory: mprotect gave errno {Marshal.GetLastPInvokeError()}");
        }
    }

    private static byte[] AssembleTrampoline(out ulong exit, out ulong leave)
    {
        var c = new Assembler(64);
        AssemblerMemoryOperand Input(int offset) => __[TestMemory.TrampolineState + InputState + (ulong)offset];
        AssemblerMemoryOperand Output(int offset) => __[TestMemory.TrampolineState + OutputState + (ulong)offset];
        AssemblerMemoryOperand Host(int offset) => __[TestMemory.TrampolineState + (ulong)offset];
        AssemblerRegister64[] preserved = [rbx, rbp, r12, r13, r14, r15];

        foreach (AssemblerRegister64 register in preserved)
        {
            c.push(register);
        }

        c.mov(__qword_ptr[TestMemory.TrampolineState + HostStack], rsp);
        c.stmxcsr(Host(HostMxcsr));
        c.fnstcw(Host(HostControlWord));
        c.fxrstor64(Input(CpuState.FxOffset));
        c.push(__qword_ptr[TestMemory.TrampolineState + InputState + CpuState.FlagsOffset]);
        c.popfq();
        for (int i = 0; i < Registers.Length; i++)
        {
            c.mov(Registers[i], Input(8 * i));
        }

        c.jmp(__qword_ptr[TestMemory.TrampolineState + InputState + CpuState.RipOffset]);

        Label behind = c.CreateLabel();
        c.Label(ref behind);
        for (int i = 0; i < Registers.Length; i++)
        {
            c.mov(Output(8 * i), Registers[i]);
        }

        c.mov(rsp, Host(HostStack));
        c.pushfq();
        c.pop(__qword_ptr[TestMemory.TrampolineState + OutputState + CpuState.FlagsOffset]);
        c.fxsave64(Output(CpuState.FxOffset));
        Label left = c.CreateLabel();
        c.Label(ref left);
        c.mov(rsp, Host(HostStack));

        // AC may be set, too.
        c.push(HostFlags);
        c.popfq();
        c.fninit();
        c.fldcw(Host(HostControlWord));
        c.ldmxcsr(Host(HostMxcsr));
        for (int i = preserved.Length - 1; i >= 0; i--)
        {
            c.pop(preserved[i]);
        }

        c.ret();

        using var stream = new MemoryStream();
        AssemblerResult result = c.Assemble(
            new StreamCodeWriter(stream), TestMemory.Trampoline, BlockEncoderOptions.ReturnNewInstructionOffsets);
        exit = result.GetLabelRIP(behind);
        leave = result.GetLabelRIP(left);
        return stream.ToArray();
    }
}
