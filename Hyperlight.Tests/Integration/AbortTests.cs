namespace Hyperlight.Tests.Integration;

/// <summary>A guest that aborts: its code and message arrive, and the sandbox is poisoned.</summary>
internal sealed class AbortTests(TestTarget target) : GuestTest(target)
{
    [Test]
    public void Abort() => Assert.That(AssertPoisons<GuestAbortedException>(s => s.Call("Abort")).Code, Is.Zero);

    [TestCase(1)]
    [TestCase(13)]
    [TestCase(254)]
    public void With_a_code(int code) =>
        Assert.That(AssertPoisons<GuestAbortedException>(s => s.Call("AbortWithCode", code)).Code, Is.EqualTo(code));

    [TestCase("out of tea")]
    [TestCase("Grüße")]
    [TestCase("x")]
    public void With_a_message(string message)
    {
        GuestAbortedException error = AssertPoisons<GuestAbortedException>(s => s.Call("AbortWithMessage", 7, message));

        Assert.That(error.Code, Is.EqualTo(7));
        Assert.That(error.GuestMessage, Is.EqualTo(message));
        Assert.That(error.ExceptionVector, Is.Null);
    }

    [Test]
    public void With_more_bytes_than_the_host_accepts()
    {
        GuestAbortedException error = AssertPoisons<GuestAbortedException>(s => s.Call("AbortOverflow"));

        Assert.That(error.Code, Is.Zero);
        Assert.That(error.GuestMessage, Is.EqualTo("Guest abort buffer overflowed"));
    }

    [TestCase(1023, 7, true)]
    [TestCase(1024, 0, false)]
    [TestCase(2000, 0, false)]
    public void A_message_of_a_kilobyte_or_more_is_lost(int length, int code, bool arrives)
    {
        string message = new('m', length);

        GuestAbortedException error = AssertPoisons<GuestAbortedException>(s => s.Call("AbortWithMessage", 7, message));

        Assert.That(error.Code, Is.EqualTo(code));
        Assert.That(error.GuestMessage, Is.EqualTo(arrives ? message : "Guest abort buffer overflowed"));
    }

    [Test]
    public void An_incomplete_abort_is_ignored_and_does_not_affect_the_next_call()
    {
        Assert.That(() => Sandbox.Call("AbortHalfway"), Throws.TypeOf<GuestProtocolException>());
        AssertUsable();

        Assert.That(AssertPoisons<GuestAbortedException>(s => s.Call("AbortWithCode", 3)).Code, Is.EqualTo(3));
    }

    [Test]
    public void A_failed_assertion()
    {
        GuestAbortedException error = AssertPoisons<GuestAbortedException>(s => s.Call("AssertFails"));

        Assert.That(error.GuestMessage, Does.Contain("assertion"));
    }

    [Test]
    public void After_a_host_function_threw_the_exception_is_kept()
    {
        var failure = new InvalidDataException("no answer");
        Sandbox.WithHostFunction("HostEchoInt", int (int x) => throw failure);
        Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("RoundTripInt", 1));

        GuestAbortedException error = AssertPoisons<GuestAbortedException>(s => s.Call("AbortWithCode", 3));

        Assert.That(error.InnerException, Is.Null, "the exception belongs to an earlier call");
    }
}
