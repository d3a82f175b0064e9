using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Kvm;

/// <summary>Every exit of a scripted kernel, also those that no kernel should report.</summary>
[TestFixture(true)]
[TestFixture(false)]
internal sealed class KvmExitDecodingTests(bool syncRegs)
{
    private FakeMachine _fake = null!;

    [SetUp]
    public void Create() => _fake = new FakeMachine(syncRegs);

    [TearDown]
    public void Destroy() => _fake.Dispose();

    [Test]
    public void Halt() => Assert.That(_fake.Run(static vcpu => vcpu.ExitHalt()), Is.EqualTo(VmExit.Halt));

    [Test]
    public void Shutdown() => Assert.That(_fake.Run(static vcpu => vcpu.ExitShutdown()), Is.EqualTo(VmExit.Shutdown));

    [TestCase(1, 0x21u)]
    [TestCase(2, 0x4321u)]
    [TestCase(4, 0x8765_4321u)]
    public void OutTakesAsManyBytesAsWereWritten(byte size, uint value) => Assert.That(
        _fake.Run(vcpu => vcpu.ExitIoOut(101, 0x8765_4321, size)), Is.EqualTo(VmExit.IoOut(101, value, size)));

    [Test]
    public void In() => Assert.That(
        _fake.Run(static vcpu => vcpu.ExitIo(new KvmRunIo { Port = 0x60, Size = 2, Count = 7, DataOffset = ulong.MaxValue })),
        Is.EqualTo(VmExit.IoIn(0x60, 2)));

    [TestCase(1u, 0x3000ul - 3, TestName = "OutWithDataAcrossTheEndOfTheRunPage")]
    [TestCase(1u, ulong.MaxValue, TestName = "OutWithDataFarBeyondTheRunPage")]
    [TestCase(2u, 0x1000ul, TestName = "OutOfSeveralElements")]
    [TestCase(0u, 0x1000ul, TestName = "OutOfNoElement")]
    [TestCase(uint.MaxValue, 0x1000ul, TestName = "OutOfMoreElementsThanFit")]
    public void OutThatMakesNoSenseIsUnknown(uint count, ulong offset) => Assert.That(
        _fake.Run(vcpu => vcpu.ExitIo(
            new KvmRunIo { Direction = KvmRun.KVM_EXIT_IO_OUT, Port = 1, Size = 4, Count = count, DataOffset = offset })),
        Is.EqualTo(VmExit.Unknown(KvmRun.KVM_EXIT_IO, count)));

    [Test]
    public void OutAtTheVeryEndOfTheRunPageIsRead() => Assert.That(
        _fake.Run(static vcpu =>
        {
            vcpu.RunPageBytes[^1] = 9;
            return vcpu.ExitIo(
                new KvmRunIo { Direction = KvmRun.KVM_EXIT_IO_OUT, Port = 1, Size = 1, Count = 1, DataOffset = 0x2FFF });
        }),
        Is.EqualTo(VmExit.IoOut(1, 9, 1)));

    [TestCase(0)]
    [TestCase(3)]
    [TestCase(8)]
    public void PortAccessOfAnImpossibleSizeIsUnknown(byte size) => Assert.That(
        _fake.Run(vcpu => vcpu.ExitIoOut(1, 2, size)), Is.EqualTo(VmExit.Unknown(KvmRun.KVM_EXIT_IO, size)));

    [Test]
    public void MmioRead() => Assert.That(
        _fake.Run(static vcpu => vcpu.ExitMmio(0x1234_5000, 4, isWrite: false, data: ulong.MaxValue)),
        Is.EqualTo(VmExit.MmioRead(0x1234_5000, 4)));

    [TestCase(1u, 0x88ul)]
    [TestCase(3u, 0x66_7788ul)]
    [TestCase(8u, 0x1122_3344_5566_7788ul)]
    public void MmioWriteTakesAsManyBytesAsWereWritten(uint length, ulong data) => Assert.That(
        _fake.Run(vcpu => vcpu.ExitMmio(0x1234_5000, length, isWrite: true, data: 0x1122_3344_5566_7788)),
        Is.EqualTo(VmExit.MmioWrite(0x1234_5000, data, (byte)length)));

    [Test]
    public void MmioLengthIsBounded() => Assert.That(
        _fake.Run(static vcpu => vcpu.ExitMmio(0, uint.MaxValue, isWrite: true, data: 5)),
        Is.EqualTo(VmExit.MmioWrite(0, 5, 8)));

    [Test]
    public void DebugException() => Assert.That(
        _fake.Run(static vcpu => vcpu.ExitDebug(new KvmRunDebug { Exception = 3, Pc = 0x1000, Dr6 = 0xFFFF_0FF0 })),
        Is.EqualTo(VmExit.Debug(0x1000, 3, 0xFFFF_0FF0)));

    [Test]
    public void EmulationFailureHasAddressAndInstruction()
    {
        VmExit exit = _fake.Run(static vcpu =>
        {
            vcpu.Regs.Rip = 0x7000;
            KvmRunInternalError error = new() { Suberror = 1, NData = 3, Flags = 1, InsnSize = 4 };
            new byte[] { 0x66, 0x0F, 0xEF, 0xC0, 0xCC }.CopyTo(error.InsnBytes);
            return vcpu.ExitInternalError(error);
        });

        Assert.That(exit, Is.EqualTo(VmExit.EmulationFailure(0x7000, [0x66, 0x0F, 0xEF, 0xC0], 1)));
    }

    [TestCase(0u, 1ul, TestName = "EmulationFailureOfAnOlderKernelHasNoBytes")]
    [TestCase(3u, 0ul, TestName = "EmulationFailureWithoutItsFlagHasNoBytes")]
    public void EmulationFailureWithoutBytes(uint words, ulong flags) => Assert.That(
        _fake.Run(vcpu =>
        {
            vcpu.Regs.Rip = 0x7000;
            return vcpu.ExitInternalError(
                new KvmRunInternalError { Suberror = 1, NData = words, Flags = flags, InsnSize = 4 });
        }),
        Is.EqualTo(VmExit.EmulationFailure(0x7000, [], 1)));

    [Test]
    public void InstructionLengthIsBounded() => Assert.That(
        _fake.Run(static vcpu => vcpu.ExitInternalError(
            new KvmRunInternalError { Suberror = 1, NData = 3, Flags = 1, InsnSize = 255 })).InstructionLength,
        Is.EqualTo(15));

    [Test]
    public void OtherInternalErrorsAreUnknownWithTheirSuberror() => Assert.That(
        _fake.Run(static vcpu => vcpu.ExitInternalError(new KvmRunInternalError { Suberror = 4, NData = 2 })),
        Is.EqualTo(VmExit.Unknown(KvmRun.KVM_EXIT_INTERNAL_ERROR, 4)));

    [Test]
    public void FailedEntryIsUnknownWithItsReason() => Assert.That(
        _fake.Run(static vcpu => vcpu.Exit(KvmRun.KVM_EXIT_FAIL_ENTRY, 0x8000_0021)),
        Is.EqualTo(VmExit.Unknown(KvmRun.KVM_EXIT_FAIL_ENTRY, 0x8000_0021)));

    [Test]
    public void ExitsOfLaterKernelsAreUnknown([Values(0u, 1u, 24u, 38u, 1000u, uint.MaxValue)] uint reason) => Assert.That(
        _fake.Run(vcpu => vcpu.Exit(reason, 77)), Is.EqualTo(VmExit.Unknown(reason, 77)));

    [Test]
    public void MemoryFaultHasItsAddress() => Assert.That(
        _fake.Run(static vcpu => vcpu.ExitMemoryFault(0x5000)),
        Is.EqualTo(VmExit.AccessViolation(0x5000, MemoryFlags.None)));

    [TestCase(Errno.EFAULT)]
    [TestCase(Errno.EHWPOISON)]
    public void FaultWithoutAddressIsNotMistakenForTheExitBefore(int error)
    {
        _fake.Run(static vcpu => vcpu.ExitMemoryFault(0x5000));

        Assert.That(_fake.Run(_ => -error), Is.EqualTo(VmExit.AccessViolation(0, MemoryFlags.None)));
    }

    [Test]
    public void ErrorOfTheRunIsThrownWithItsName()
    {
        HypervisorException? error = Assert.Throws<HypervisorException>(() => _fake.Run(static _ => -Errno.EINVAL));

        Assert.Multiple(() =>
        {
            Assert.That(error!.Operation, Is.EqualTo("KVM_RUN"));
            Assert.That(error.ErrorCode, Is.EqualTo(Errno.EINVAL));
            Assert.That(error.Driver, Is.EqualTo("kvm"));
            Assert.That(_fake.Run(static vcpu => vcpu.ExitHalt()), Is.EqualTo(VmExit.Halt), "the machine can run again");
        });
    }

    [Test]
    public void InterruptionsAndRetriesEnterTheGuestAgain()
    {
        int[] results = [-Errno.EINTR, -Errno.EAGAIN, -Errno.EINTR];
        int runs = 0;

        VmExit exit = _fake.Run(vcpu => runs < results.Length ? results[runs++] : vcpu.ExitHalt());

        Assert.Multiple(() =>
        {
            Assert.That(exit, Is.EqualTo(VmExit.Halt));
            Assert.That(_fake.Vcpu.Runs, Is.EqualTo(4));
        });
    }

    [Test]
    public void StrayKickSignalIsTakenAndTheGuestRuns()
    {
        int interruptions = 0;

        // As KVM does: while a signal is pending the guest is not entered. A signal that is never taken would be met for ever.
        VmExit exit = _fake.Run(vcpu =>
        {
            if (interruptions == 0)
            {
                _fake.Kernel.SendSignal(_fake.Kernel.GetThreadId(), KickSignal.Default.Number);
            }

            return !_fake.Kernel.HasPendingSignal() ? vcpu.ExitHalt() : ++interruptions < 5 ? -Errno.EINTR : -Errno.EINVAL;
        });

        Assert.Multiple(() =>
        {
            Assert.That(exit, Is.EqualTo(VmExit.Halt));
            Assert.That(interruptions, Is.EqualTo(1));
            Assert.That(_fake.Kernel.PendingSignals, Is.Zero);
        });
    }
}
