using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Linux;
using Hyperlight.Tests.Integration;
using Hyperlight.Tests.Linux;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Kvm;

/// <summary>Guests on the machine's own KVM are cancelled also where the kernel refuses to send signals.</summary>
internal sealed class UnreachableGuestTests
{
    private const int RealTimeSignal = 61;

    /// <summary>Guests that do nothing but go on, each by other means.</summary>
    private static readonly Dictionary<string, Action<Assembler>> Spinners = new()
    {
        ["jumps"] = static c => Loop(c, static _ => { }),
        ["counts"] = static c => Loop(c, static c => c.inc(rcx)),
        ["reads and writes memory"] = static c => Loop(c, static c => c.inc(__dword_ptr[LongModeGuest.DataAddress])),
        ["uses the stack"] = static c => Loop(c, static c =>
        {
            c.push(rax);
            c.pop(rax);
        }),
        ["flushes its translations"] = static c => Loop(c, static c =>
        {
            c.mov(rax, cr3);
            c.mov(cr3, rax);
        }),
        ["asks for CPUID"] = static c => Loop(c, static c => c.cpuid()),
    };

    private static IEnumerable<string> SpinnerNames => Spinners.Keys;

    [TestCaseSource(nameof(SpinnerNames))]
    public void GuestIsForcedOutIfNoSignalCanBeSent(string spinner)
    {
        using KvmHypervisor kvm = RealKvm.Open(new NoSignals());
        using LongModeGuest guest = new(kvm, Spinners[spinner]);
        for (int i = 0; i < 3; i++)
        {
            VmExit exit = RunAndCancel(guest);
            if (i > 0 && MayBeSpurious(exit, kvm))
            {
                DropCancellation(guest);
                exit = RunAndCancel(guest);
            }

            Assert.That(exit, Is.EqualTo(VmExit.Cancelled));
            Reset(guest);
        }

        guest.Memory.Write((nuint)LongModeGuest.CodeAddress, LongModeGuest.Assemble(static c => c.hlt()));
        VmExit last = guest.Machine.Run();
        if (MayBeSpurious(last, kvm))
        {
            Reset(guest);
            last = guest.Machine.Run();
        }

        Assert.That(last, Is.EqualTo(VmExit.Halt), "its memory is back");
    }

    [TestCase(23)]
    [TestCase(RealTimeSignal)]
    public void FullSignalQueueDoesNotKeepAGuestRunning(int signal)
    {
        RealKvm.Require();
        using KvmHypervisor kvm = new(new KvmOptions { CancellationSignal = signal });
        using LongModeGuest guest = new(kvm, Spinners["counts"]);
        using (new SignalQueueLimit())
        {
            Assert.That(RunAndCancel(guest), Is.EqualTo(VmExit.Cancelled));
        }
    }

    [Test]
    public void FilterOfSystemCallsDoesNotKeepAGuestRunning()
    {
        using KvmHypervisor kvm = RealKvm.Open();
        using LongModeGuest guest = new(kvm, Spinners["counts"]);
        int refused = 0;

        VmExit exit = RunAndCancel(guest, () =>
        {
            SystemCallFilter.RefuseSignal(KickSignal.Default.Number);
            refused = LinuxKernel.Instance.SendSignal(LinuxKernel.Instance.GetThreadId(), KickSignal.Default.Number);
        });

        Assert.That((exit, refused), Is.EqualTo((VmExit.Cancelled, -Errno.EPERM)));
    }

    [Test]
    public void SandboxIsCancelledByATokenAndRestored()
    {
        using KvmHypervisor kvm = RealKvm.Open(new NoSignals());
        string path = Path.Combine(AppContext.BaseDirectory, "guests", "testguest.elf");
        using MultiUseSandbox sandbox = new SandboxBuilder().WithHypervisor(kvm).WithGuest(path).Build();
        using Snapshot snapshot = sandbox.TakeSnapshot();
        for (int i = 0; i < 5; i++)
        {
            using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
            Assert.That(() => sandbox.Call("SpinForever", [], source.Token), Throws.TypeOf<ExecutionCanceledException>());
            sandbox.Restore(snapshot);
            Assert.That(Add(sandbox, snapshot, isRepeated: EmulatingKvm.Runs(kvm)), Is.EqualTo(42));
        }
    }

    /// <summary>
    /// Calls a function. A KVM without hardware virtualization may hand the first guest after a forced exit an exception of the one before: this
    /// call may fail there, and the next one after a restore does not.
    /// </summary>
    private static int Add(MultiUseSandbox sandbox, Snapshot snapshot, bool isRepeated)
    {
        try
        {
            return sandbox.Call<int>("Add", 20, 22);
        }
        catch (HyperlightException) when (isRepeated && sandbox.Status == SandboxStatus.Poisoned)
        {
            sandbox.Restore(snapshot);
            return sandbox.Call<int>("Add", 20, 22);
        }
    }

    /// <summary>
    /// A KVM without hardware virtualization may report a triple fault at the first entry after a forced exit, before it executes an instruction.
    /// </summary>
    private static bool MayBeSpurious(VmExit exit, KvmHypervisor kvm) => exit == VmExit.Shutdown && EmulatingKvm.Runs(kvm);

    /// <summary>A guest that ended by itself was cancelled afterwards: the next run would end at once.</summary>
    private static void DropCancellation(LongModeGuest guest)
    {
        guest.Machine.Cancel();
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Cancelled));
        Reset(guest);
    }

    private static void Reset(LongModeGuest guest)
    {
        guest.Machine.DiscardPendingState();
        guest.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters);
        guest.Restart();
    }

    private static void Loop(Assembler code, Action<Assembler> body)
    {
        Label again = code.CreateLabel();
        code.Label(ref again);
        body(code);
        code.jmp(again);
    }

    /// <summary>Cancels from a thread of its own, which may prepare itself.</summary>
    private static VmExit RunAndCancel(LongModeGuest guest, Action? prepare = null)
    {
        Thread canceller = new(() =>
        {
            prepare?.Invoke();
            Thread.Sleep(50);
            Assert.That(guest.Machine.Cancel, Throws.Nothing);
        });
        canceller.Start();
        VmExit exit = guest.Machine.Run();
        canceller.Join();
        return exit;
    }

    private sealed class NoSignals() : ForwardingKernel(LinuxKernel.Instance)
    {
        public override int SendSignal(int threadId, int signal) => -Errno.EPERM;
    }
}
