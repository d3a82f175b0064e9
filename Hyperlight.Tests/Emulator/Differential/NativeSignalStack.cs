using System.Runtime.InteropServices;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>
/// A stack of its own for the signals of the calling thread: where RSP points while code is under test, there may be no memory.
/// CoreCLR gives each of its threads one, and then that is used; NativeAOT gives none.
/// </summary>
internal sealed unsafe class NativeSignalStack : IDisposable
{
    // asm/unistd_64.h and bits/ss_flags.h
    private const int SYS_sigaltstack = 131;
    private const int SS_DISABLE = 2;

    /// <summary>Also enough for the runtime's own handlers, which get the signals that the code under test does not raise.</summary>
    private const int Size = 0x40000;

    private readonly void* _memory;

    public NativeSignalStack()
    {
        StackDescription present = default;
        Check(LibC.syscall(SYS_sigaltstack, 0, (nint)(&present)));
        if ((present.Flags & SS_DISABLE) == 0)
        {
            return;
        }

        _memory = NativeMemory.Alloc(Size);
        StackDescription own = new((nint)_memory, 0, Size);
        Check(LibC.syscall(SYS_sigaltstack, (nint)(&own), 0));
    }

    public void Dispose()
    {
        if (_memory is null)
        {
            return;
        }

        StackDescription none = new(0, SS_DISABLE, 0);
        Check(LibC.syscall(SYS_sigaltstack, (nint)(&none), 0));
        NativeMemory.Free(_memory);
    }

    private static void Check(nint result)
    {
        if (result != 0)
        {
            throw new InvalidOperationException($"sigaltstack gave errno {Marshal.GetLastPInvokeError()}.");
        }
    }

    /// <summary>The kernel's stack_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private record struct StackDescription(nint Address, int Flags, nint Size);
}
