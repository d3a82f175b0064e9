using Hyperlight.Linux;

namespace Hyperlight.Tests.Linux;

/// <summary>Which signals interrupt a guest, and what the machine's own kernel does with them.</summary>
internal sealed class KickSignalTests
{
    private const int RealTimeSignal = 61;

    [Test]
    public void SetHasTheSignalsBit() =>
        Assert.That(KickSignal.Default.Set, Is.EqualTo(1UL << 22), "bit n-1 stands for signal n");

    [Test]
    public void SignalsWithAnotherUseCannotBeChosen() => Assert.That(
        Enumerable.Range(-1, 70).Where(KickSignal.IsUsable),
        Is.EqualTo(new[] { 10, 12, 16, 23, 30 }.Concat(Enumerable.Range(35, 30))));

    [Test]
    public void FullQueueRefusesRealTimeSignalsOnly()
    {
        RealLinux.Require();
        var realTime = new KickSignal(RealTimeSignal);
        using (new SignalQueueLimit())
        {
            Assert.That(Send(realTime), Is.EqualTo((-Errno.EAGAIN, -Errno.EAGAIN)), "neither sent nor pending");
            Assert.That(Send(KickSignal.Default), Is.EqualTo((0, KickSignal.Default.Number)), "sent, and pending");
        }

        Assert.That(Send(realTime), Is.EqualTo((0, RealTimeSignal)));
    }

    [Test]
    public void ThreadsSignalsAreBlockedAndPutBack()
    {
        RealLinux.Require();
        LinuxKernel kernel = LinuxKernel.Instance;
        kernel.BlockSignals(0, out ulong before);
        using (var blocked = new BlockedKick(kernel, "test", KickSignal.Default))
        {
            kernel.BlockSignals(0, out ulong during);
            Assert.That(during, Is.EqualTo(before | KickSignal.Default.Set));
            Assert.That(blocked.RunMask, Is.EqualTo(before & ~KickSignal.Default.Set));
        }

        kernel.BlockSignals(0, out ulong after);
        Assert.That(after, Is.EqualTo(before));
    }

    /// <summary>Sends the signal to this thread, which blocks it.</summary>
    /// <returns>What sending it returned, and which signal is pending then.</returns>
    private static (int Sent, int Pending) Send(KickSignal signal)
    {
        LinuxKernel kernel = LinuxKernel.Instance;
        using var blocked = new BlockedKick(kernel, "test", signal);
        int sent = kernel.SendSignal(kernel.GetThreadId(), signal.Number);
        return (sent, kernel.TakePendingSignal(signal.Set));
    }
}
