using Hyperlight.Abstractions;
using Hyperlight.Host.Budgets;
using Hyperlight.Host.Execution;
using Hyperlight.Host.Execution.Threads;
using Hyperlight.Host.Sandboxes;
using Microsoft.Extensions.Logging.Abstractions;
using Moq;

namespace Hyperlight.Tests.Host.Execution;

/// <summary>
/// The system has no thread to give (`ulimit -u`, the process limit of a container): the operation that needs one fails or goes
/// another way, and later ones work.
/// </summary>
[TestFixture]
internal sealed class ThreadShortageTests
{
    [Test]
    public void A_time_limit_that_cannot_be_armed_does_not_turn_off_the_next_one()
    {
        var threads = new ScarceThreads(failures: 2);
        var timer = new DeadlineTimer { StartThread = threads.Start };
        using var expired = new ManualResetEventSlim();
        ulong operation = 0;
        var deadline = new Deadline(number =>
        {
            operation = number;
            expired.Set();
        });

        Assert.That(() => timer.Arm(deadline, TimeSpan.Zero, 1), Throws.InstanceOf<OutOfMemoryException>());
        Assert.That(() => timer.Arm(deadline, TimeSpan.Zero, 2), Throws.InstanceOf<OutOfMemoryException>());
        timer.Arm(deadline, TimeSpan.FromMilliseconds(1), 3);

        Assert.That(expired.Wait(TestTime.Patience));
        Assert.That(operation, Is.EqualTo(3));
        Assert.That(threads.Attempts, Is.EqualTo(3));
    }

    [Test]
    public void Host_functions_are_cancelled_on_the_thread_pool()
    {
        var threads = new ScarceThreads(failures: int.MaxValue);
        var source = new HostFunctionTokenSource(1) { Threads = new CancellationThreads { StartThread = threads.Start } };
        using var cancelled = new ManualResetEventSlim();
        using CancellationTokenRegistration registration = source.Token.Register(cancelled.Set);

        source.CancelOnOtherThread(NullLogger.Instance);

        Assert.That(cancelled.Wait(TestTime.Patience));
        Assert.That(threads.Attempts, Is.EqualTo(1));
    }

    [Test]
    public void A_cancellation_that_the_driver_refuses_is_repeated_without_the_timer()
    {
        var threads = new ScarceThreads(failures: int.MaxValue);
        using var cancelled = new ManualResetEventSlim();
        int attempts = 0;
        var machine = new Mock<IVirtualMachine>();
        machine.Setup(m => m.Cancel()).Callback(() =>
        {
            if (Interlocked.Increment(ref attempts) < 4)
            {
                throw new HypervisorException("mock", "Cancel", 11, "EAGAIN");
            }

            cancelled.Set();
        });
        var gate = new SandboxGate();
        var meter = new CallMeter(new InstructionLimit("mock", machine.Object, limit: null));
        var interrupts = new Interrupter(gate, machine.Object, meter, NullLogger.Instance, new DeadlineTimer { StartThread = threads.Start });
        gate.Enter("calling", this);

        Assert.That(() => interrupts.Request(CancellationReason.InterruptHandle), Throws.Nothing);

        Assert.That(cancelled.Wait(TestTime.Patience));
        Assert.That(threads.Attempts, Is.EqualTo(3));
    }

    [Test]
    public void A_guest_without_a_thread_runs_on_the_thread_pool_and_the_next_one_gets_a_thread()
    {
        var threads = new ScarceThreads(failures: 1);
        var guests = new GuestThreads(2) { StartThread = threads.Start };

        Assert.That(RunsOn(guests).IsThreadPoolThread, Is.True);
        Assert.That(guests.Count, Is.Zero);
        Assert.That(guests.QueueLength, Is.Zero);
        Assert.That(RunsOn(guests).IsThreadPoolThread, Is.False);
        Assert.That(guests.Count, Is.EqualTo(1));
    }

    [Test]
    public void Guests_wait_for_the_threads_that_there_are()
    {
        var threads = new ScarceThreads(failures: int.MaxValue, firstFailure: 2);
        var guests = new GuestThreads(4) { StartThread = threads.Start };

        // Nothing to dispose: if this fails, guests still wait.
        var mayGoOn = new TaskCompletionSource();
        int over = 0;
        Thread?[] ranOn = new Thread?[3];
        for (int i = 0; i < 3; i++)
        {
            int number = i;
            new GuestThreadTurn(guests, 1).UnsafeOnCompleted(() =>
            {
                mayGoOn.Task.Wait();
                ranOn[number] = Thread.CurrentThread;
                Interlocked.Increment(ref over);
            });
        }

        Assert.That(SpinWait.SpinUntil(() => guests.QueueLength == 2, TestTime.Patience), "the others wait");
        Assert.That(guests.Count, Is.EqualTo(1));
        mayGoOn.SetResult();
        Assert.That(SpinWait.SpinUntil(() => Volatile.Read(ref over) == 3, TestTime.Patience));
        Assert.That(ranOn, Is.All.SameAs(ranOn[0]));
        Assert.That(ranOn[0]!.IsThreadPoolThread, Is.False);
    }

    private static Thread RunsOn(GuestThreads guests)
    {
        Thread? thread = null;
        using var ran = new ManualResetEventSlim();
        new GuestThreadTurn(guests, 1).UnsafeOnCompleted(() =>
        {
            thread = Thread.CurrentThread;
            ran.Set();
        });
        Assert.That(ran.Wait(TestTime.Patience));
        return thread!;
    }

    /// <summary>A system that refuses some threads, as <see cref="Thread.Start()"/> reports it.</summary>
    private sealed class ScarceThreads(int failures, int firstFailure = 1)
    {
        private int _attempts;

        public int Attempts => Volatile.Read(ref _attempts);

        public void Start(Thread thread)
        {
            long attempt = Interlocked.Increment(ref _attempts);
            if (attempt >= firstFailure && attempt - firstFailure < failures)
            {
                throw new InsufficientMemoryException();
            }

            thread.UnsafeStart();
        }
    }
}
