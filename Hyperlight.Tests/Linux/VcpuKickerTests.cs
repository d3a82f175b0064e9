using System.Diagnostics;
using Hyperlight.Linux;
using Hyperlight.Tests.Kvm;

namespace Hyperlight.Tests.Linux;

/// <summary>The state machine that decides when a signal may be sent, on simulated signals.</summary>
internal sealed class VcpuKickerTests
{
    /// <summary>How long each stress test goes on.</summary>
    private static readonly TimeSpan StressTime = TimeSpan.FromSeconds(2);

    private FakeKvmKernel _kernel = null!;
    private ForcedExit _forced = null!;
    private VcpuKicker _kicker = null!;

    private static int ThreadId => Environment.CurrentManagedThreadId;

    [SetUp]
    public void Create()
    {
        _kernel = new FakeKvmKernel();
        _kernel.BlockSignals(KickSignal.Default.Set, out _);
        _forced = new ForcedExit();
        _kicker = new VcpuKicker(_kernel, KickSignal.Default, _forced);
    }

    [Test]
    public void UndisturbedStaySendsNothing()
    {
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);
        _kicker.Leave();

        Assert.That(_kernel.Journal, Is.EqualTo(new[] { "rt_sigprocmask" }), "the one of the set-up");
    }

    [Test]
    public void RequestWhileNobodyRunsSendsNothingAndIsTakenOnce()
    {
        _kicker.Cancel();
        _kicker.Cancel();

        Assert.Multiple(() =>
        {
            Assert.That(_kicker.TryEnter(ThreadId), Is.False);
            Assert.That(_kicker.TryEnter(ThreadId), Is.True);
            Assert.That(_kernel.Journal, Has.None.EqualTo("tgkill"));
        });
    }

    [Test]
    public void RequestForAnExitNeverForcesTheVcpuOut_AndACancellationThatFollowsDoes()
    {
        _kernel.OnSendSignal = static (_, _) => -Errno.EAGAIN;
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);

        _kicker.RequestExit();
        Assert.That(_forced.Forced, Is.Zero);
        _kicker.Cancel();
        Assert.That(_forced.Forced, Is.EqualTo(1));

        _kicker.Leave();
        Assert.That(_kicker.TryEnter(ThreadId), Is.False);
        Assert.That(_kicker.TryEnter(ThreadId), Is.True, "one exit takes both requests");
        _kicker.Leave();
    }

    [Test]
    public void RequestDuringAStaySendsOneSignalAndLeaveTakesItBack()
    {
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);
        _kicker.Cancel();
        _kicker.Cancel();
        Assert.That(_kernel.PendingSignals, Is.EqualTo(1));

        _kicker.Leave();

        Assert.Multiple(() =>
        {
            Assert.That(_kernel.PendingSignals, Is.Zero);
            Assert.That(_kicker.IsCancelRequested, Is.True, "a real exit may have come first: the request stands");
            Assert.That(_kicker.TryEnter(ThreadId), Is.False);
            Assert.That(_kicker.TryEnter(ThreadId), Is.True);
            Assert.That(_kernel.Violations, Is.Empty);
        });
    }

    [Test]
    public void LeaveWaitsForASenderInFlight()
    {
        using ManualResetEventSlim sending = new();
        using ManualResetEventSlim mayGo = new();
        _kernel.OnSendSignal = (_, _) =>
        {
            sending.Set();
            mayGo.Wait();
            return 0;
        };
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);
        Thread canceller = new(_kicker.Cancel);
        canceller.Start();
        sending.Wait();
        Timer release = new(_ => mayGo.Set(), null, 50, Timeout.Infinite);

        _kicker.Leave();

        Assert.Multiple(() =>
        {
            Assert.That(mayGo.IsSet, Is.True, "Leave returned while a signal was on its way");
            Assert.That(_kernel.PendingSignals, Is.Zero);
        });
        canceller.Join();
        release.Dispose();
    }

    [TestCase(Errno.EAGAIN, TestName = "A full signal queue")]
    [TestCase(Errno.EPERM, TestName = "A filter of system calls")]
    [TestCase(Errno.ENOSYS, TestName = "A filter that denies the call")]
    public void SignalThatCannotBeSentIsReplacedByForce(int error)
    {
        _kernel.OnSendSignal = (_, _) => -error;
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);

        Assert.That(_kicker.Cancel, Throws.Nothing);
        Assert.That((_kicker.WasForced(), _forced.Forced, _forced.Undone), Is.EqualTo((true, 1, 0)));

        _kicker.Leave();
        Assert.Multiple(() =>
        {
            Assert.That((_forced.Forced, _forced.Undone), Is.EqualTo((1, 1)));
            Assert.That(_kicker.TryEnter(ThreadId), Is.False, "the request stands");
            Assert.That(_kicker.TryEnter(ThreadId), Is.True);
            Assert.That(_kicker.WasForced(), Is.False);
            Assert.That(_kernel.PendingSignals, Is.Zero);
        });
    }

    [Test]
    public void SecondRequestDoesNotForceAgain()
    {
        _kernel.OnSendSignal = static (_, _) => -Errno.EPERM;
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);
        _kicker.Cancel();
        _kicker.Cancel();

        Assert.That(_forced.Forced, Is.EqualTo(1));
    }

    /// <summary>The one who cancels returns at once; a stay that neither signal nor force has ended ends a little later.</summary>
    [Test]
    [CancelAfter(60_000)]
    public void WhatFailsAltogetherIsRepeatedUntilItTakes(CancellationToken timeout)
    {
        int attempts = 0;
        _kernel.OnSendSignal = (_, _) => ++attempts < 20 ? -Errno.EPERM : 0;
        _forced.Works = false;
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);

        Assert.That(_kicker.Cancel, Throws.Nothing);
        while (!_kernel.HasPendingSignal())
        {
            timeout.ThrowIfCancellationRequested();
            Thread.Yield();
        }

        _kicker.Leave();
        Assert.That((_kicker.TryEnter(ThreadId), _kernel.PendingSignals), Is.EqualTo((false, 0)));
    }

    /// <summary>A limit on processes refuses the thread that repeats what the kernel refuses.</summary>
    [Test]
    [CancelAfter(60_000)]
    public void WhatFailsIsRepeatedAlsoWithoutAThreadOfItsOwn(CancellationToken timeout)
    {
        int attempts = 0;
        _kernel.OnSendSignal = (_, _) => ++attempts < 20 ? -Errno.EPERM : 0;
        _forced.Works = false;
        _kicker = new VcpuKicker(_kernel, KickSignal.Default, _forced)
        {
            Retries = new KickRetries { StartThread = static _ => throw new InsufficientMemoryException() },
        };
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);

        Assert.That(_kicker.Cancel, Throws.Nothing);
        while (!_kernel.HasPendingSignal())
        {
            timeout.ThrowIfCancellationRequested();
            Thread.Yield();
        }

        _kicker.Leave();
        Assert.That((_kicker.TryEnter(ThreadId), _kernel.PendingSignals), Is.EqualTo((false, 0)));
    }

    [Test]
    public void RepetitionEndsWithTheStayAndDoesNotMeetTheNext()
    {
        int attempts = 0;
        _kernel.OnSendSignal = (_, _) =>
        {
            Interlocked.Increment(ref attempts);
            return -Errno.EPERM;
        };
        _forced.Works = false;
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);
        _kicker.Cancel();
        _kicker.Leave();
        Assert.That(_kicker.TryEnter(ThreadId), Is.False);
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);
        int before = Volatile.Read(ref attempts);

        Thread.Sleep(50);

        Assert.That(Volatile.Read(ref attempts), Is.EqualTo(before));
        _kicker.Leave();
    }

    [Test]
    public void ForceThatCannotBeUndoneIsUndoneBeforeTheNextStay()
    {
        _kernel.OnSendSignal = static (_, _) => -Errno.EPERM;
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);
        _kicker.Cancel();
        _forced.CanUndo = false;

        Assert.That(_kicker.Leave, Throws.TypeOf<HypervisorException>());
        Assert.That(() => _kicker.TryEnter(ThreadId), Throws.TypeOf<HypervisorException>());
        _forced.CanUndo = true;

        Assert.That(_kicker.TryEnter(ThreadId), Is.False, "the request stands");
        Assert.That((_kicker.TryEnter(ThreadId), _forced.IsInEffect), Is.EqualTo((true, false)));
    }

    /// <summary>As at every other moment, but half of the signals are refused.</summary>
    [Test]
    [CancelAfter(300_000)]
    public void NoRequestIsLostWhileSignalsAndForceFailAtRandom(CancellationToken timeout)
    {
        int answered = 0;
        Random failures = new(3);
        _kernel.OnSendSignal = (_, _) => failures.Next(2) == 0 ? -Errno.EAGAIN : 0;
        using Background runner = new(stop =>
        {
            while (!stop.IsCancellationRequested)
            {
                _kernel.BlockSignals(KickSignal.Default.Set, out ulong previous);
                if (!_kicker.TryEnter(ThreadId))
                {
                    Interlocked.Increment(ref answered);
                }
                else
                {
                    while (!_kernel.HasPendingSignal() && !_forced.IsInEffect && !stop.IsCancellationRequested)
                    {
                        Thread.SpinWait(1);
                    }

                    _ = _kicker.WasForced();
                    _kicker.Leave();
                }

                _kernel.SetBlockedSignals(previous);
            }
        });

        Random moments = new(4);
        for (int requests = 1; requests <= 2000; requests++)
        {
            Thread.SpinWait(moments.Next(200));
            _forced.Works = moments.Next(2) == 0;
            _kicker.Cancel();
            while (Volatile.Read(ref answered) < requests)
            {
                timeout.ThrowIfCancellationRequested();
                Thread.Yield();
            }
        }

        runner.Dispose();
        Assert.That((answered, _kernel.PendingSignals, _forced.IsInEffect), Is.EqualTo((2000, 0, false)));
        Assert.That(_kernel.Violations, Is.Empty);
    }

    [Test]
    public void SecondStayAtTheSameTimeIsRefused()
    {
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);

        Assert.That(() => _kicker.TryEnter(ThreadId), Throws.InvalidOperationException);
        _kicker.Leave();
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);
    }

    /// <summary>A run can be outside the guest for a moment when its machine is disposed, such as after a signal for somebody else.</summary>
    [Test]
    public void ARunThatGoesOnAfterTheKickerWasClosedIsCancelled()
    {
        Assert.That(_kicker.TryEnter(ThreadId), Is.True);
        _kicker.Leave();
        Assert.That(_kicker.Close(), Is.True);

        Assert.That(_kicker.TryEnter(ThreadId, isAgain: true), Is.False);
    }

    [Test]
    public void ClosedKickerLetsNobodyInAndSendsNothing()
    {
        Assert.Multiple(() =>
        {
            Assert.That(_kicker.Close(), Is.True);
            Assert.That(_kicker.Close(), Is.False);
            Assert.That(() => _kicker.TryEnter(ThreadId), Throws.InstanceOf<ObjectDisposedException>());
            Assert.DoesNotThrow(_kicker.Cancel);
            Assert.That(_kernel.Journal, Has.None.EqualTo("tgkill"));
        });
    }

    [Test]
    public void CloseEndsAStayAndWaitsForIt()
    {
        using ManualResetEventSlim inside = new();
        bool left = false;
        Thread runner = new(() =>
        {
            _kernel.BlockSignals(KickSignal.Default.Set, out _);
            Assert.That(_kicker.TryEnter(ThreadId), Is.True);
            inside.Set();
            while (!_kernel.HasPendingSignal())
            {
                Thread.Yield();
            }

            Volatile.Write(ref left, true);
            _kicker.Leave();
        });
        runner.Start();
        inside.Wait();

        _kicker.Close();

        Assert.That(Volatile.Read(ref left), Is.True);
        runner.Join();
        Assert.That(_kernel.PendingSignals, Is.Zero);
    }

    [Test]
    public void StraySignalIsTaken()
    {
        _kernel.SendSignal(ThreadId, KickSignal.Default.Number);

        _kicker.DrainSignal();

        Assert.That(_kernel.PendingSignals, Is.Zero);
    }

    /// <summary>Each request is made at a random moment, and must be answered before the next is made.</summary>
    [Test]
    [CancelAfter(300_000)]
    public void NoRequestAtARandomMomentIsLost(CancellationToken timeout)
    {
        int answered = 0;
        using Background runner = new(stop =>
        {
            _kernel.BlockSignals(KickSignal.Default.Set, out _);
            Random random = new(1);
            while (!stop.IsCancellationRequested)
            {
                if (!_kicker.TryEnter(ThreadId))
                {
                    Interlocked.Increment(ref answered);
                    continue;
                }

                // A guest that exits by itself after a while, or is made to.
                for (int left = random.Next(60); left > 0 && !_kernel.HasPendingSignal(); left--)
                {
                    Thread.SpinWait(1);
                }

                _kicker.Leave();
            }
        });

        int requests = 0;
        Random moments = new(2);
        for (Stopwatch clock = Stopwatch.StartNew(); clock.Elapsed < StressTime;)
        {
            Thread.SpinWait(moments.Next(200));
            _kicker.Cancel();
            requests++;
            while (Volatile.Read(ref answered) < requests)
            {
                timeout.ThrowIfCancellationRequested();
                Thread.Yield();
            }
        }

        runner.Dispose();
        Assert.Multiple(() =>
        {
            Assert.That(answered, Is.EqualTo(requests), "each request is answered exactly once");
            Assert.That(_kernel.PendingSignals, Is.Zero);
            Assert.That(_kernel.Violations, Is.Empty);
        });
    }

    /// <summary>Several threads cancel at once, while threads take turns at running.</summary>
    [Test]
    public void NoSignalReachesAThreadThatHasLeft()
    {
        int requests = 0;
        int answered = 0;
        Background[] cancellers =
        [
            .. Enumerable.Range(0, 3).Select(_ => new Background(stop =>
            {
                while (!stop.IsCancellationRequested)
                {
                    _kicker.Cancel();
                    Interlocked.Increment(ref requests);
                    Thread.SpinWait(20);
                }
            })),
        ];
        try
        {
            for (Stopwatch clock = Stopwatch.StartNew(); clock.Elapsed < (answered == 0 ? TestTime.Patience : StressTime);)
            {
                // A thread that ends leaves nothing behind for the next thread with its number.
                Thread turn = new(() =>
                {
                    _kernel.BlockSignals(KickSignal.Default.Set, out _);
                    for (int n = 0; n < 50; n++)
                    {
                        if (_kicker.TryEnter(ThreadId))
                        {
                            Thread.SpinWait(n);
                            _kicker.Leave();
                        }
                        else
                        {
                            answered++;
                        }
                    }
                });
                turn.Start();
                turn.Join();
                Assert.That(_kernel.PendingSignals, Is.Zero, "a signal is left for a thread that has ended");
            }
        }
        finally
        {
            Array.ForEach(cancellers, static canceller => canceller.Dispose());
        }

        Assert.Multiple(() =>
        {
            Assert.That(answered, Is.GreaterThan(0).And.LessThanOrEqualTo(requests));
            Assert.That(_kernel.Violations, Is.Empty);
        });
    }

    /// <summary>What forces a simulated vCPU out, if it works.</summary>
    private sealed class ForcedExit : IForcedExit
    {
        private volatile bool _isInEffect;

        public volatile bool Works = true;

        public volatile bool CanUndo = true;

        public int Forced { get; private set; }

        public int Undone { get; private set; }

        public bool IsInEffect => _isInEffect;

        public bool TryForce()
        {
            if (!Works)
            {
                return false;
            }

            Forced++;
            return _isInEffect = true;
        }

        public void Undo()
        {
            if (!CanUndo)
            {
                throw new HypervisorException("test", "undo", Errno.ENOMEM, "there is no memory");
            }

            Undone++;
            _isInEffect = false;
        }
    }

    /// <summary>A thread that ends with its test, however the test ends.</summary>
    private sealed class Background : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Thread _thread;

        public Background(Action<CancellationToken> work)
        {
            CancellationToken token = _stop.Token;
            _thread = new Thread(() => work(token)) { IsBackground = true };
            _thread.Start();
        }

        public void Dispose()
        {
            _stop.Cancel();
            _thread.Join();
        }
    }
}
