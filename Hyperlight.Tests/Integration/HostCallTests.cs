namespace Hyperlight.Tests.Integration;

/// <summary>The guest calls functions of the host.</summary>
internal sealed class HostCallTests(TestTarget target) : GuestTest(target)
{
    [Test]
    public void Int()
    {
        Sandbox.WithHostFunction("HostEchoInt", (int x) => x);
        Assert.That(Sandbox.Call<int>("RoundTripInt", int.MinValue), Is.EqualTo(int.MinValue));
    }

    [Test]
    public void UInt()
    {
        Sandbox.WithHostFunction("HostEchoUInt", (uint x) => x);
        Assert.That(Sandbox.Call<uint>("RoundTripUInt", uint.MaxValue), Is.EqualTo(uint.MaxValue));
    }

    [Test]
    public void Long()
    {
        Sandbox.WithHostFunction("HostEchoLong", (long x) => x);
        Assert.That(Sandbox.Call<long>("RoundTripLong", long.MinValue), Is.EqualTo(long.MinValue));
    }

    [Test]
    public void ULong()
    {
        Sandbox.WithHostFunction("HostEchoULong", (ulong x) => x);
        Assert.That(Sandbox.Call<ulong>("RoundTripULong", ulong.MaxValue), Is.EqualTo(ulong.MaxValue));
    }

    [Test]
    public void Float()
    {
        Sandbox.WithHostFunction("HostEchoFloat", (float x) => x);
        Assert.That(Sandbox.Call<float>("RoundTripFloat", 1.25f), Is.EqualTo(1.25f));
    }

    [Test]
    public void Double()
    {
        Sandbox.WithHostFunction("HostEchoDouble", (double x) => x);
        Assert.That(Sandbox.Call<double>("RoundTripDouble", -2.5), Is.EqualTo(-2.5));
    }

    [Test]
    public void Bool()
    {
        Sandbox.WithHostFunction("HostEchoBool", (bool x) => x);
        Assert.That(Sandbox.Call<bool>("RoundTripBool", true), Is.True);
        Assert.That(Sandbox.Call<bool>("RoundTripBool", false), Is.False);
    }

    [Test]
    public void String()
    {
        Sandbox.WithHostFunction("HostEchoString", (string x) => x + "!");
        Assert.That(Sandbox.Call<string>("RoundTripString", "Grüße"), Is.EqualTo("Grüße!"));
    }

    [Test]
    public void Byte_array()
    {
        Sandbox.WithHostFunction("HostEchoBytes", (byte[] x) => x);
        Assert.That(Sandbox.Call<byte[]>("RoundTripBytes", new byte[] { 1, 2, 3 }), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public void Byte_span()
    {
        Sandbox.WithHostFunction<MultiUseSandbox, ReadOnlySpan<byte>, ReadOnlySpan<byte>>("HostEchoBytes", x => x[1..]);
        Assert.That(Sandbox.Call<byte[]>("RoundTripBytes", new byte[] { 1, 2, 3 }), Is.EqualTo(new byte[] { 2, 3 }));
    }

    [Test]
    public void Byte_memory()
    {
        Sandbox.WithHostFunction("HostEchoBytes", (ReadOnlyMemory<byte> x) => x);
        Assert.That(Sandbox.Call<byte[]>("RoundTripBytes", new byte[] { 5, 6 }), Is.EqualTo(new byte[] { 5, 6 }));
    }

    [Test]
    public void Nothing()
    {
        int calls = 0;
        Sandbox.WithHostFunction("HostVoid", () => { calls++; });
        Sandbox.Call("RoundTripVoid");
        Assert.That(calls, Is.EqualTo(1));
    }

    [Test]
    public void Ten_parameters()
    {
        Sandbox.WithHostFunction(
            "HostSumTen",
            (int a, int b, int c, int d, int e, int f, int g, int h, int i, int j) => (long)a + b + c + d + e + f + g + h + i + j);
        Assert.That(Sandbox.Call<long>("CallHostMany"), Is.EqualTo(55));
    }

    [Test]
    public void Many_calls_in_one()
    {
        Sandbox.WithHostFunction("HostEchoInt", (int x) => x);
        Assert.That(Sandbox.Call<long>("CallHostTimes", 100), Is.EqualTo(4950));
    }

    [Test]
    public void Each_answer_feeds_the_next_call()
    {
        Sandbox.WithHostFunction("HostEchoInt", (int x) => x * 2);
        Assert.That(Sandbox.Call<int>("CallHostChain", 5, 3), Is.EqualTo(96));
    }

    [Test]
    public void Different_functions_in_one_call()
    {
        Sandbox
            .WithHostFunction("GetGreeting", (string name) => $"Hello, {name}")
            .WithHostFunction("Decorate", (string text) => $"*** {text} ***");
        Assert.That(Sandbox.Call<string>("CallHostTwoDeep", "Ada"), Is.EqualTo("*** Hello, Ada ***"));
    }

    [Test]
    public void A_host_function_may_run_another_sandbox()
    {
        MultiUseSandbox other = Build(_ => { });
        Sandbox.WithHostFunction("HostEchoInt", (int x) => other.Call<int>("Add", x, 1));
        Assert.That(Sandbox.Call<int>("RoundTripInt", 41), Is.EqualTo(42));
    }

    [Test]
    public void A_function_is_replaced_after_it_was_removed()
    {
        Sandbox.WithHostFunction("HostEchoInt", (int x) => x);
        Assert.That(Sandbox.RemoveHostFunction("HostEchoInt"), Is.True);
        Sandbox.WithHostFunction("HostEchoInt", (int x) => x + 1);
        Assert.That(Sandbox.Call<int>("RoundTripInt", 1), Is.EqualTo(2));
    }

    [Test]
    public void An_unknown_function_is_an_error_of_the_guest()
    {
        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("CallHostNamed", "NoSuchFunction"))!;

        Assert.That(error.Code, Is.EqualTo(GuestErrorCode.HostFunctionError));
        Assert.That(error.GuestMessage, Is.EqualTo("HostFunction NoSuchFunction was not found"));
        Assert.That(error.HostFunctionFailure, Is.EqualTo("Host function 'NoSuchFunction' is not registered."));
        Assert.That(error.Message, Does.EndWith("(Host function 'NoSuchFunction' is not registered.)"));
        AssertUsable();
    }

    [Test]
    public void A_wrong_number_of_arguments_is_an_error_of_the_guest()
    {
        Sandbox.WithHostFunction("HostEchoInt", (int x) => x);

        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("CallHostWrongArity"))!;

        Assert.That(error.Code, Is.EqualTo(GuestErrorCode.HostFunctionError));
        Assert.That(error.GuestMessage, Is.EqualTo("The number of arguments to the function is wrong: got 2 expected 1"));
        Assert.That(error.Message, Does.Contain("'HostEchoInt' takes 1").And.Contain("passed 2"));
        AssertUsable();
    }

    [Test]
    public void A_wrong_argument_type_is_an_error_of_the_guest()
    {
        Sandbox.WithHostFunction("HostEchoInt", (int x) => x);

        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("CallHostWrongType"))!;

        Assert.That(error.Code, Is.EqualTo(GuestErrorCode.HostFunctionError));
        Assert.That(error.GuestMessage, Is.EqualTo("Failed To Convert Parameter Value String(\"not an int\") to \"i32\""));
        Assert.That(error.Message, Does.Contain("'HostEchoInt' is Int").And.Contain("passed String"));
        AssertUsable();
    }

    [Test]
    public void An_exception_reaches_the_guest_and_is_kept()
    {
        var failure = new InvalidDataException("the disk is on fire");
        Sandbox.WithHostFunction("HostEchoInt", int (int x) => throw failure);

        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("RoundTripInt", 1))!;

        Assert.That(error.Code, Is.EqualTo(GuestErrorCode.HostFunctionError));
        Assert.That(error.GuestMessage, Is.EqualTo("the disk is on fire"));
        Assert.That(error.Message, Does.EndWith("(Host function 'HostEchoInt' failed: the disk is on fire)"));
        Assert.That(error.InnerException, Is.SameAs(failure));
        AssertUsable();
    }

    [Test]
    public void An_exception_of_an_earlier_call_is_not_blamed_for_a_later_error()
    {
        Sandbox.WithHostFunction("HostEchoInt", int (int x) => throw new InvalidDataException());
        Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("RoundTripInt", 1));

        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call("ReturnError", 15, "own"))!;

        Assert.That(error.InnerException, Is.Null);
        Assert.That(error.HostFunctionFailure, Is.Null);
    }

    [Test]
    public void A_result_that_is_not_unicode_is_an_error_of_the_guest()
    {
        Sandbox.WithHostFunction("HostEchoString", (string x) => x + "\uD800");

        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<string>("RoundTripString", "a"))!;

        Assert.That(error.Code, Is.EqualTo(GuestErrorCode.HostFunctionError));
        Assert.That(error.GuestMessage, Does.Contain("not valid Unicode"));
        AssertUsable();
    }

    [Test]
    public void A_very_long_error_text_is_shortened_to_fit()
    {
        Sandbox.WithHostFunction("HostEchoInt", int (int x) => throw new InvalidDataException(new string('x', 100_000)));

        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("RoundTripInt", 1))!;

        Assert.That(error.GuestMessage, Does.Contain("xxx"));
        AssertUsable();
    }

    [Test]
    public void A_result_larger_than_the_buffer_poisons()
    {
        Sandbox.WithHostFunction("HostEchoBytes", (byte[] x) => new byte[0x4000]);

        MessageTooLargeException error =
            AssertPoisons<MessageTooLargeException>(s => s.Call<byte[]>("RoundTripBytes", new byte[] { 1 }));

        Assert.That(error.Limit, Is.EqualTo(0x4000 - 16));
        Assert.That(error.Size, Is.GreaterThan(0x4000));
        Assert.That(error.Message, Does.Contain("HostEchoBytes"));
    }

    [Test]
    public void Functions_of_one_sandbox_are_not_those_of_another()
    {
        MultiUseSandbox other = Build(_ => { });
        other.WithHostFunction("HostEchoInt", (int x) => x);

        Assert.That(other.Call<int>("RoundTripInt", 1), Is.EqualTo(1));
        Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("RoundTripInt", 1));
    }
}
