using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Linux;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Kvm;

/// <summary>Cancelling guests on the machine's own KVM.</summary>
internal sealed class GuestCancellationTests
{
    private KvmHypervisor _kvm = null!;

    [SetUp]
    public void Open() => _kvm = RealKvm.Open();

    [TearDown]
    public void Close() => _kvm?.Dispose();

    [Test]
    public void RequestBeforeARunIsTakenByExactlyOne()
    {
        using LongModeGuest guest = new(_kvm, static c => c.hlt());
        guest.Machine.Cancel();
        guest.Machine.Cancel();

        Assert.Multiple(() =>
        {
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Cancelled));
            Assert.That(guest.Machine.GetGeneralRegisters().Rip, Is.EqualTo(LongModeGuest.CodeAddress), "it was not entered");
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        });
    }

    [Test]
    public void SpinningGuestIsCancelledAndCanContinue()
    {
        using LongModeGuest guest = NewSpinner();
        for (int i = 0; i < 3; i++)
        {
            Task cancelling = Task.Run(() =>
            {
                try
                {
                    WaitUntilItCounts(guest);
                }
                finally
                {
                    guest.Machine.Cancel();
                }
            });
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Cancelled));
            cancelling.GetAwaiter().GetResult();
        }

        Assert.That(guest.Machine.GetGeneralRegisters().Rcx, Is.Not.Zero, "the guest went on counting");
    }

    [Test]
    [CancelAfter(300_000)]
    public void NoneOfManyCancellationsAtRandomMomentsIsLost(CancellationToken timeout)
    {
        const int Count = 1000;
        using LongModeGuest guest = NewSpinner();
        Random random = new(20);
        using SemaphoreSlim running = new(0);
        Thread canceller = new(() =>
        {
            for (int i = 0; i < Count; i++)
            {
                running.Wait(timeout);
                Thread.SpinWait(random.Next(3000));
                guest.Machine.Cancel();
            }
        });
        canceller.Start();

        for (int i = 0; i < Count; i++)
        {
            running.Release();
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Cancelled));
        }

        canceller.Join();
        Assert.That(
            LinuxKernel.Instance.TakePendingSignal(KickSignal.Default.Set), Is.EqualTo(-Errno.EAGAIN), "a signal is left pending");
    }

    [Test]
    public void CancellationsBetweenExitsDisturbNoExit()
    {
        using LongModeGuest guest = new(_kvm, static c =>
        {
            Iced.Intel.Label again = c.CreateLabel();
            c.Label(ref again);
            c.inc(eax);
            c.@out(0x64, eax);
            c.jmp(again);
        });
        using CancellationTokenSource done = new();
        int cancels = 0;
        Thread canceller = new(() =>
        {
            while (!done.IsCancellationRequested)
            {
                guest.Machine.Cancel();
                cancels++;
                Thread.SpinWait(500);
            }
        })
        {
            IsBackground = true,
        };
        canceller.Start();
        Assert.That(SpinWait.SpinUntil(() => Volatile.Read(ref cancels) > 0, TestTime.Patience), Is.True, "the cancellations have begun");

        uint expected = 1;
        int cancelled = 0;
        while (expected <= 3000)
        {
            VmExit exit = guest.Machine.Run();
            if (exit.Reason == VmExitReason.Cancelled)
            {
                cancelled++;
            }
            else
            {
                Assert.That(exit, Is.EqualTo(VmExit.IoOut(0x64, expected++, 4)));
            }
        }

        done.Cancel();
        canceller.Join();
        Assert.That(cancelled, Is.GreaterThan(0).And.LessThanOrEqualTo(cancels));
    }

    [Test]
    public void OneThreadRunsManyMachinesAndOnlyTheRequestedOneIsCancelled()
    {
        using LongModeGuest spinner = NewSpinner();
        using LongModeGuest other = new(_kvm, static c => c.hlt());

        spinner.Machine.Cancel();

        Assert.Multiple(() =>
        {
            Assert.That(other.Machine.Run(), Is.EqualTo(VmExit.Halt));
            Assert.That(spinner.Machine.Run(), Is.EqualTo(VmExit.Cancelled));
        });
    }

    [Test]
    public void DisposalEndsARunOnAnotherThread()
    {
        LongModeGuest guest = NewSpinner();
        VmExit exit = default;
        Thread runner = new(() => exit = guest.Machine.Run());
        runner.Start();
        try
        {
            WaitUntilItCounts(guest);
        }
        finally
        {
            guest.Dispose();
            runner.Join();
        }

        Assert.That(exit, Is.EqualTo(VmExit.Cancelled));
    }

    [Test]
    public void CancellationMayRaceDisposal()
    {
        for (int i = 0; i < 30; i++)
        {
            LongModeGuest guest = NewSpinner();
            using Barrier start = new(3);
            VmExit exit = default;
            Thread canceller = new(() =>
            {
                start.SignalAndWait();
                for (int n = 0; n < 200; n++)
                {
                    guest.Machine.Cancel();
                }
            });
            Thread disposer = new(() =>
            {
                start.SignalAndWait();
                Thread.SpinWait(i * 100);
                guest.Machine.Dispose();
            });
            canceller.Start();
            disposer.Start();
            start.SignalAndWait();
            try
            {
                exit = guest.Machine.Run();
                Assert.That(exit, Is.EqualTo(VmExit.Cancelled));
            }
            catch (ObjectDisposedException)
            {
                // Disposed before the run began.
            }

            canceller.Join();
            disposer.Join();
            guest.Memory.Dispose();
        }

        Assert.That(LinuxKernel.Instance.TakePendingSignal(KickSignal.Default.Set), Is.EqualTo(-Errno.EAGAIN));
    }

    [Test]
    public void SecondRunAtTheSameTimeIsRefused()
    {
        using LongModeGuest guest = NewSpinner();
        Thread runner = new(() => guest.Machine.Run());
        runner.Start();

        try
        {
            WaitUntilItCounts(guest);
            Assert.That(() => guest.Machine.Run(), Throws.InvalidOperationException);
        }
        finally
        {
            guest.Machine.Cancel();
            runner.Join();
        }
    }

    private LongModeGuest NewSpinner() => new(_kvm, static c =>
    {
        Iced.Intel.Label again = c.CreateLabel();
        c.Label(ref again);
        c.inc(rcx);
        c.mov(__[LongModeGuest.DataAddress], rcx);
        c.jmp(again);
    });

    /// <summary>Waits until the guest is inside: what it counts changes.</summary>
    private static void WaitUntilItCounts(LongModeGuest guest)
    {
        ulong before = Count(guest);
        Assert.That(SpinWait.SpinUntil(() => Count(guest) != before, TestTime.Patience), Is.True, "the guest counts");
    }

    private static ulong Count(LongModeGuest guest)
    {
        byte[] count = new byte[sizeof(ulong)];
        guest.Memory.Read((nuint)LongModeGuest.DataAddress, count);
        return BitConverter.ToUInt64(count);
    }
}
