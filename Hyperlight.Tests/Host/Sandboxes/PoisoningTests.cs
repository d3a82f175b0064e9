using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Wire;
using Moq;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>Which failures poison a sandbox, and which leave it usable.</summary>
[TestFixture]
internal sealed class PoisoningTests : ScriptedSandboxTest
{
    [TestCaseSource(nameof(FatalExits))]
    public void An_exit_that_ends_theGuest_early_poisons(VmExit exit, Type error)
    {
        Guest.Then(exit);

        Exception? failure = Assert.Catch(() => Sandbox.Call<int>("f"));

        Assert.That(failure, Is.TypeOf(error));
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
        Assert.That(
            () => Sandbox.Call<int>("f"),
            Throws.TypeOf<SandboxPoisonedException>().With.InnerException.SameAs(failure));
    }

    [Test]
    public void A_failing_vcpu_poisons()
    {
        var failure = new HypervisorException("mock", "KVM_RUN", 14, "EFAULT");
        Guest.Then(() => throw failure);

        Assert.That(() => Sandbox.Call<int>("f"), Throws.Exception.SameAs(failure));
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
    }

    [Test]
    public void Registers_that_cannot_be_set_do_not_poison()
    {
        var failure = new HypervisorException("mock", "KVM_SET_XSAVE", 22, "EINVAL");
        Guest.Machine.SetupSequence(m => m.SetFpuRegisters(It.Ref<FpuRegisters>.IsAny)).Throws(failure).Pass();

        Assert.That(() => Sandbox.Call<int>("f"), Throws.Exception.SameAs(failure));
        AssertUsable();
    }

    [Test]
    public void AGuests_error_does_not_poison()
    {
        Guest.Answer(GoldenVectors.ErrorResult);

        Assert.That(
            () => Sandbox.Call<int>("f"),
            Throws.TypeOf<GuestErrorException>()
                .With.Property(nameof(GuestErrorException.Code)).EqualTo(GuestErrorCode.GuestError)
                .And.Property(nameof(GuestErrorException.GuestMessage)).EqualTo("boom")
                .And.Property(nameof(GuestErrorException.FunctionName)).EqualTo("f"));
        AssertUsable();
    }

    [Test]
    public void A_host_function_that_failed_belongs_to_its_call_alone()
    {
        for (int failures = 1; failures >= 0; failures--)
        {
            if (failures > 0)
            {
                Guest.Then(() =>
                {
                    Guest.PopInput();
                    Guest.PushOutput(GoldenVectors.AddCall);
                    return VmExit.IoOut(101, 0, 4);
                });
            }

            Guest.Answer(GoldenVectors.ErrorResult);
            GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("f"))!;
            Assert.That(error.HostFunctionFailure, failures > 0 ? Is.EqualTo("Host function 'Add' is not registered.") : Is.Null);
        }
    }

    [Test]
    public void A_wrong_result_type_does_not_poison()
    {
        Guest.Answer(GoldenVectors.IntResult);

        Assert.That(
            () => Sandbox.Call<string>("f"),
            Throws.TypeOf<ReturnTypeMismatchException>()
                .With.Property(nameof(ReturnTypeMismatchException.Expected)).EqualTo(GuestValueType.String)
                .And.Property(nameof(ReturnTypeMismatchException.Actual)).EqualTo(GuestValueType.Int));
        AssertUsable();
    }

    [Test]
    public void A_missing_result_does_not_poison()
    {
        Guest.Then(ScriptedMachine.Halt);

        Assert.That(() => Sandbox.Call<int>("f"), Throws.TypeOf<GuestProtocolException>().With.Message.Contains("no message"));
        AssertUsable();
    }

    [Test]
    public void A_malformed_result_does_not_poison_and_is_cleared()
    {
        Guest.Answer([4, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);

        Assert.That(() => Sandbox.Call<int>("f"), Throws.TypeOf<GuestProtocolException>());
        AssertUsable();
    }

    [Test]
    public void A_corrupted_output_buffer_does_not_poison_and_is_cleared()
    {
        Guest.Then(() =>
        {
            Guest.Scratch.GetSpan(0x4000, 8).Fill(0xFF);
            return ScriptedMachine.Halt;
        });

        Assert.That(() => Sandbox.Call<int>("f"), Throws.TypeOf<GuestProtocolException>().With.Message.Contains("corrupted"));
        AssertUsable();
    }

    [Test]
    public void Arguments_that_do_not_fit_do_not_poison()
    {
        Assert.That(
            () => Sandbox.Call<int>("f", new byte[0x4000]),
            Throws.TypeOf<MessageTooLargeException>()
                .With.Property(nameof(MessageTooLargeException.Limit)).EqualTo(0x4000 - 16)
                .And.Property(nameof(MessageTooLargeException.Size)).GreaterThan(0x4000));
        AssertUsable();
    }

    [Test]
    public void Misuse_does_not_poison()
    {
        Assert.That(() => Sandbox.Call<decimal>("f"), Throws.TypeOf<NotSupportedException>().With.Message.Contains("Decimal"));
        Assert.That(() => Sandbox.Call<int>(""), Throws.ArgumentException);
        Assert.That(() => Sandbox.Call<int>("f", default(GuestValue)), Throws.ArgumentException);
        Assert.That(() => Sandbox.Call<int>("f", (string)null!), Throws.ArgumentNullException);
        AssertUsable();
    }

    [Test]
    public void More_than_eleven_arguments_are_refused_before_the_guest_is_entered()
    {
        Assert.That(
            () => Sandbox.Call<int>("f", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
            Throws.ArgumentException.With.Message.EqualTo("A guest function takes at most 11 arguments, but 'f' was called with 12."));
        Assert.That(() => Sandbox.Call("f", new GuestValue[40].Select(_ => (GuestValue)1).ToArray()), Throws.ArgumentException);
        AssertUsable();

        Guest.Answer(GoldenVectors.IntResult);
        Assert.That(Sandbox.Call<int>("f", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), Is.EqualTo(3));
    }

    [TestCaseSource(nameof(LoneSurrogates))]
    public void Text_that_is_not_unicode_is_refused_before_the_guest_is_entered(string name, string argument, int index)
    {
        Assert.That(
            () => Sandbox.Call<int>(name, 1, argument),
            Throws.ArgumentException.With.Message.Contains("not valid Unicode").And.Message.Contains($"index {index}."));
        AssertUsable();
    }

    // Not as attributes: those are kept as UTF-8, which has no lone surrogates.
    private static IEnumerable<TestCaseData> LoneSurrogates()
    {
        yield return new TestCaseData("\uD800", "text", 0) { TestName = "A name that is a high surrogate is refused" };
        yield return new TestCaseData("f\uDC00", "text", 1) { TestName = "A name that ends with a low surrogate is refused" };
        yield return new TestCaseData("f", "\U0001F600\uDE00", 2) { TestName = "A low surrogate behind a pair is refused" };
        yield return new TestCaseData("f", "ab\uD83D", 2) { TestName = "Text that ends with a high surrogate is refused" };
        yield return new TestCaseData("f", "a\uDE00\uD83D", 1) { TestName = "A pair in the wrong order is refused" };
    }

    [Test]
    public void Text_outside_the_basic_plane_is_unicode()
    {
        Guest.Answer(GoldenVectors.IntResult);
        Assert.That(Sandbox.Call<int>("\U0001F600", "\U0001F600\U0001F601"), Is.EqualTo(3));
    }

    [Test]
    public void An_abort_that_was_begun_in_one_call_is_forgotten_in_the_next()
    {
        Guest.Then(VmExit.IoOut(102, 0x41_0902, 4)).Answer(GoldenVectors.IntResult);
        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));
        Guest.Then(VmExit.IoOut(102, 0xFF_0D02, 4));

        Assert.That(
            () => Sandbox.Call<int>("f"),
            Throws.TypeOf<GuestAbortedException>()
                .With.Property(nameof(GuestAbortedException.Code)).EqualTo(13)
                .And.Property(nameof(GuestAbortedException.GuestMessage)).Empty);
    }

    private static IEnumerable<TestCaseData> FatalExits() =>
    [
        new(VmExit.Shutdown, typeof(UnexpectedVmExitException)),
        new(VmExit.Unknown(77), typeof(UnexpectedVmExitException)),
        new(VmExit.EmulationFailure(0x1000, [0x66, 0x0F, 0xEF, 0xC0], 1), typeof(UnexpectedVmExitException)),
        new(VmExit.Debug(0x1000, 1, 0), typeof(UnexpectedVmExitException)),
        new(VmExit.MmioRead(0x9000_0000, 8), typeof(MemoryAccessViolationException)),
        new(VmExit.MmioWrite(0x9000_0000, 0, 8), typeof(MemoryAccessViolationException)),
        new(VmExit.AccessViolation(0x1000, MemoryFlags.Write), typeof(MemoryAccessViolationException)),
        new(VmExit.IoIn(99, 4), typeof(GuestProtocolException)),
        new(VmExit.IoOut(100, 0, 4), typeof(GuestProtocolException)),
        new(VmExit.IoOut(104, 0, 4), typeof(GuestProtocolException)),
        new(VmExit.IoOut(0xFFFF, 0, 4), typeof(GuestProtocolException)),
        new(VmExit.IoOut(99, 0, 4), typeof(GuestProtocolException)),
        new(VmExit.IoOut(101, 0, 4), typeof(GuestProtocolException)),
        new(VmExit.IoOut(102, 0xFF01, 4), typeof(GuestAbortedException)),
        new(VmExit.IoOut(103, 0xD800, 4), typeof(GuestProtocolException)),
        new(VmExit.IoOut(103, 0x110000, 4), typeof(GuestProtocolException)),
    ];
}
