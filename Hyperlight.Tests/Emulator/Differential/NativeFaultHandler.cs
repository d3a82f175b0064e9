using System.Runtime.InteropServices;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>
/// Catches the exceptions of the code under test. They are signals of its thread; the handler copies what the kernel saved
/// and goes back to the host, as code that ends by itself does. Whatever else raises such a signal has the handler that was
/// there before. Only the thread that creates it may use it: a stack for signals is the thread's own.
/// </summary>
internal sealed unsafe class NativeFaultHandler : IDisposable
{
    private const ulong Code = TestMemory.Trampoline + 0x800;
    private const int CodeRoom = 0x7F0;

    /// <summary>What the kernel returns to from handlers that return.</summary>
    private const ulong Restorer = Code + CodeRoom;

    // In the page of the trampoline's states.
    private const ulong Runner = TestMemory.TrampolineState + 0x810;
    private const ulong Seen = TestMemory.TrampolineState + 0x818;
    private const ulong Vector = TestMemory.TrampolineState + 0x820;
    private const ulong Error = TestMemory.TrampolineState + 0x828;
    private const ulong Address = TestMemory.TrampolineState + 0x830;
    private const ulong Previous = TestMemory.TrampolineState + 0x880;

    // asm/unistd_64.h and asm/signal.h
    private const int SYS_rt_sigaction = 13;
    private const int SIG_SETMASK = 2;
    private const int SYS_rt_sigreturn = 15;
    private const nint SA_SIGINFO = 4;
    private const nint SA_RESTORER = 0x0400_0000;
    private const nint SA_ONSTACK = 0x0800_0000;
    private const nint SA_NODEFER = 0x4000_0000;

    /// <summary>sys/ucontext.h: where the registers are, in the order of REG_R8 and so on.</summary>
    private const int SavedRegisters = 40;
    private const int SavedRip = SavedRegisters + (16 * 8);
    private const int SavedFlags = SavedRegisters + (17 * 8);
    private const int SavedError = SavedRegisters + (19 * 8);
    private const int SavedVector = SavedRegisters + (20 * 8);
    private const int SavedCr2 = SavedRegisters + (22 * 8);
    private const int SavedFx = SavedRegisters + (23 * 8);

    /// <summary>SIGILL, SIGTRAP, SIGBUS, SIGFPE and SIGSEGV.</summary>
    private static readonly int[] Synchronous = [4, 5, 7, 8, 11];

    /// <summary>Where the signal frame has the registers of <see cref="CpuState"/>: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15.</summary>
    private static readonly int[] SavedOrder = [13, 14, 12, 11, 15, 10, 9, 8, 0, 1, 2, 3, 4, 5, 6, 7];

    private readonly NativeSignalStack _stack = new();
    private readonly Action[] _restore;
    private ulong _mask;

    /// <param name="leave">Where the trampoline goes back to the host.</param>
    /// <param name="outputState">Where in the page of states it leaves registers.</param>
    public NativeFaultHandler(ulong leave, int outputState)
    {
        Assemble(leave, TestMemory.TrampolineState + (ulong)outputState).CopyTo(new Span<byte>((void*)Code, CodeRoom));
        AssembleRestorer().CopyTo(new Span<byte>((void*)Restorer, 16));
        _restore = [.. Synchronous.Select(Install)];
    }

    /// <summary>From here on exceptions of this thread are the code's. No other signal comes in: it may have no stack.</summary>
    public void Begin()
    {
        ulong all = ulong.MaxValue;
        foreach (int signal in Synchronous)
        {
            all &= ~(1UL << (signal - 1));
        }

        LinuxKernel.Instance.BlockSignals(all, out _mask);
        *(ulong*)Seen = 0;
        *(ulong*)Runner = (ulong)LinuxKernel.Instance.GetThreadId();
    }

    /// <summary>The exception that ended the code, if one did.</summary>
    public Fault? End()
    {
        *(ulong*)Runner = 0;
        ulong mask = _mask;
        _ = LibC.syscall(SystemCalls.SYS_rt_sigprocmask, SIG_SETMASK, (nint)(&mask), 0, Signals.SetSize);
        if (*(ulong*)Seen == 0)
        {
            return null;
        }

        int vector = (int)*(ulong*)Vector;
        return new Fault(
            vector, Fault.HasErrorCode(vector) ? *(ulong*)Error : 0, vector == Fault.PageFault ? *(ulong*)Address : 0);
    }

    public void Dispose()
    {
        foreach (Action restore in _restore)
        {
            restore();
        }

        _stack.Dispose();
    }

    private static Action Install(int signal)
    {
        SignalAction found = default;
        Check(LibC.syscall(SYS_rt_sigaction, signal, 0, (nint)(&found), Signals.SetSize));
        SignalAction previous = found;
        *(nint*)(Previous + (8 * (ulong)signal)) = previous.Handler;

        // Not every runtime has a handler for each of them. The kernel delivers no signal without a restorer.
        bool hasRestorer = (previous.Flags & SA_RESTORER) != 0;
        SignalAction own = previous with
        {
            Handler = (nint)Code,
            Flags = previous.Flags | SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTORER,
            Restorer = hasRestorer ? previous.Restorer : (nint)Restorer,
            Mask = 0,
        };
        Check(LibC.syscall(SYS_rt_sigaction, signal, (nint)(&own), 0, Signals.SetSize));
        return () =>
        {
            SignalAction old = previous;
            Check(LibC.syscall(SYS_rt_sigaction, signal, (nint)(&old), 0, Signals.SetSize));
        };
    }

    private static void Check(nint result)
    {
        if (result != 0)
        {
            throw new InvalidOperationException($"rt_sigaction gave errno {Marshal.GetLastPInvokeError()}.");
        }
    }

    private static byte[] Assemble(ulong leave, ulong output)
    {
        // RDI is the signal, RDX its context.
        var c = new Assembler(64);
        c.push(rdi);
        c.push(rsi);
        c.push(rdx);
        c.mov(eax, SystemCalls.SYS_gettid);
        c.syscall();
        c.pop(rdx);
        c.pop(rsi);
        c.pop(rdi);
        Label isOther = c.CreateLabel();
        c.cmp(rax, __qword_ptr[Runner]);
        c.jne(isOther);
        void Copy(ulong to, int from)
        {
            c.mov(rax, __qword_ptr[rdx + from]);
            c.mov(__qword_ptr[to], rax);
        }

        for (int i = 0; i < SavedOrder.Length; i++)
        {
            Copy(output + (8 * (ulong)i), SavedRegisters + (8 * SavedOrder[i]));
        }

        Copy(output + CpuState.RipOffset, SavedRip);
        Copy(output + CpuState.FlagsOffset, SavedFlags);
        Copy(Error, SavedError);
        Copy(Vector, SavedVector);
        Copy(Address, SavedCr2);
        c.mov(rsi, __qword_ptr[rdx + SavedFx]);
        c.mov(edi, (uint)(output + CpuState.FxOffset));
        c.mov(ecx, 512 / 8);
        c.rep.movsq();
        c.mov(__qword_ptr[Seen], 1);
        c.mov(eax, (uint)leave);
        c.jmp(rax);

        // Without a handler before, this jumps to address 0, and that ends the process, as the signal would have.
        c.Label(ref isOther);
        c.mov(rax, __qword_ptr[(rdi * 8) + (long)Previous]);
        c.jmp(rax);
        return Assemble(c, Code);
    }

    private static byte[] AssembleRestorer()
    {
        var c = new Assembler(64);
        c.mov(eax, SYS_rt_sigreturn);
        c.syscall();
        return Assemble(c, Restorer);
    }

    private static byte[] Assemble(Assembler code, ulong address)
    {
        using var stream = new MemoryStream();
        code.Assemble(new StreamCodeWriter(stream), address);
        return stream.ToArray();
    }

    /// <summary>The kernel's struct sigaction.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private record struct SignalAction(nint Handler, nint Flags, nint Restorer, ulong Mask);
}
