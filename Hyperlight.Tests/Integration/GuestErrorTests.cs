namespace Hyperlight.Tests.Integration;

/// <summary>Errors that a guest reports, and calls that it refuses: the sandbox stays usable.</summary>
internal sealed class GuestErrorTests(TestTarget target) : GuestTest(target)
{
    [Test]
    public void An_unknown_function_is_named()
    {
        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("NoSuchFunction", 1))!;

        Assert.That(error.Code, Is.EqualTo(GuestErrorCode.GuestFunctionNotFound));
        Assert.That(error.GuestMessage, Does.Contain("NoSuchFunction"));
        AssertUsable();
    }

    [Test]
    public void Too_few_arguments()
    {
        AssertGuestError(GuestErrorCode.GuestFunctionIncorrectArgumentCount, s => s.Call<int>("Add", 1));
        AssertUsable();
    }

    [Test]
    public void Too_many_arguments()
    {
        AssertGuestError(GuestErrorCode.GuestFunctionIncorrectArgumentCount, s => s.Call<int>("Add", 1, 2, 3));
        AssertUsable();
    }

    [Test]
    public void A_text_with_a_zero_inside_is_for_the_guest_to_refuse()
    {
        AssertGuestError(GuestErrorCode.GuestError, s => s.Call<string>("EchoString", "a\0b"));
        AssertGuestError(GuestErrorCode.GuestFunctionNotFound, s => s.Call<int>("Add\0", 1, 2));
        AssertUsable();
    }

    [Test]
    public void A_wrong_argument_type()
    {
        AssertGuestError(GuestErrorCode.GuestFunctionParameterTypeMismatch, s => s.Call<int>("Add", 1, 2L));
        AssertGuestError(GuestErrorCode.GuestFunctionParameterTypeMismatch, s => s.Call<int>("EchoInt", "1"));
        AssertUsable();
    }

    [Test]
    public void A_wrong_result_type()
    {
        ReturnTypeMismatchException error = Assert.Throws<ReturnTypeMismatchException>(() => Sandbox.Call<string>("EchoInt", 1))!;

        Assert.That(error.Expected, Is.EqualTo(GuestValueType.String));
        Assert.That(error.Actual, Is.EqualTo(GuestValueType.Int));
        Assert.That(error.FunctionName, Is.EqualTo("EchoInt"));
        AssertUsable();
    }

    [Test]
    public void Code_and_message_of_the_guest()
    {
        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call("ReturnError", 15, "something broke"))!;

        Assert.That(error.Code, Is.EqualTo(GuestErrorCode.GuestError));
        Assert.That(error.RawCode, Is.EqualTo(15));
        Assert.That(error.GuestMessage, Is.EqualTo("something broke"));
        AssertUsable();
    }

    [Test]
    public void A_code_that_the_abi_does_not_have_counts_as_unknown()
    {
        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call("ReturnError", 9, ""))!;

        Assert.That(error.Code, Is.EqualTo(GuestErrorCode.UnknownError));
        Assert.That(error.RawCode, Is.EqualTo(9));
    }

    [Test]
    public void Arguments_larger_than_the_buffer()
    {
        MessageTooLargeException error = Assert.Throws<MessageTooLargeException>(() => Sandbox.Call<byte[]>("EchoBytes", new byte[0x4000]))!;

        Assert.That(error.Limit, Is.EqualTo(0x4000 - 16));
        Assert.That(error.Size, Is.GreaterThan(0x4000));
        AssertUsable();
    }

    [Test]
    public void A_result_larger_than_the_buffer()
    {
        AssertGuestError(GuestErrorCode.GuestError, s => s.Call<byte[]>("MakeBytes", 0x4000, 1));
        AssertUsable();
    }

    private void AssertGuestError(GuestErrorCode code, Action<MultiUseSandbox> call)
    {
        GuestErrorException error = Assert.Throws<GuestErrorException>(() => call(Sandbox))!;
        Assert.That(error.Code, Is.EqualTo(code), error.Message);
    }
}
