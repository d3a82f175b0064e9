namespace Hyperlight.Tests.Integration;

/// <summary>Results, arguments and host functions whose types are not known when the program is compiled.</summary>
internal sealed class DynamicValueTests(TestTarget target) : GuestTest(target)
{
    private static readonly GuestValue[] Samples =
        [-7, 7u, long.MinValue, ulong.MaxValue, 1.5f, -2.5, true, "Gr\u00FC\u00DFe", new byte[] { 1, 2, 3 }];

    [Test]
    public void A_result_of_every_type_is_a_value()
    {
        foreach (GuestValue sample in Samples)
        {
            Assert.That(Sandbox.Call<GuestValue>($"Echo{sample.Type}", sample), Is.EqualTo(sample));
        }

        Assert.That(Samples.Select(s => s.Type).Append(GuestValueType.Void), Is.EquivalentTo(Enum.GetValues<GuestValueType>()));
        Assert.That(Sandbox.Call<GuestValue>("ReturnNothing").Type, Is.EqualTo(GuestValueType.Void));
        Assert.That(Sandbox.Call<GuestValue>("Add", [1, 2], CancellationToken.None).AsInt32(), Is.EqualTo(3));
        Assert.That(() => Sandbox.Call<GuestValue>("NoSuch"), Throws.TypeOf<GuestErrorException>());
    }

    [Test]
    public void A_call_without_a_result_discards_a_result_of_every_type()
    {
        foreach (GuestValue sample in Samples)
        {
            Sandbox.Call($"Echo{sample.Type}", sample);
        }

        Sandbox.Call("Add", [1, 2], TimeSpan.FromHours(1));
        Assert.That(() => Sandbox.Call("ReturnError", 15, "broken"), Throws.TypeOf<GuestErrorException>(), "an error is not discarded");
        AssertUsable();
    }

    [Test]
    public void Bytes_are_written_to_memory_of_the_caller([Values(0, 1, 4096)] int length)
    {
        byte[] value = [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7))];
        byte[] destination = new byte[length + 2];
        destination.AsSpan().Fill(0xEE);

        Assert.That(Sandbox.CallInto("EchoBytes", destination.AsSpan(1), value), Is.EqualTo(length));
        Assert.That(destination[1..^1], Is.EqualTo(value));
        Assert.That(new[] { destination[0], destination[^1] }, Is.All.EqualTo(0xEE), "nothing else is written");
        Assert.That(Sandbox.CallInto("EchoBytes", destination, [value], CancellationToken.None), Is.EqualTo(length));
        Assert.That(Sandbox.CallInto("EchoBytes", destination, [value], TimeSpan.FromHours(1)), Is.EqualTo(length));
        Assert.That(((ISandbox)Sandbox).CallInto("EchoBytes", destination, value), Is.EqualTo(length));
        Assert.That(destination[..length], Is.EqualTo(value));
    }

    [Test]
    public void Memory_that_is_too_small_is_an_error_with_the_size_that_is_needed()
    {
        byte[] destination = [9, 9, 9];

        DestinationTooSmallException error =
            Assert.Throws<DestinationTooSmallException>(() => Sandbox.CallInto("EchoBytes", destination, new byte[4]))!;

        Assert.That((error.FunctionName, error.Size, error.Available), Is.EqualTo(("EchoBytes", 4, 3)));
        Assert.That(destination, Is.EqualTo(new byte[] { 9, 9, 9 }));
        AssertUsable();
        Assert.That(Sandbox.CallInto("EchoBytes", new byte[error.Size], new byte[4]), Is.EqualTo(4));
    }

    [Test]
    public void A_result_that_is_no_bytes_is_not_written()
    {
        ReturnTypeMismatchException error = Assert.Throws<ReturnTypeMismatchException>(() => Sandbox.CallInto("Add", new byte[8], 1, 2))!;

        Assert.That((error.Expected, error.Actual), Is.EqualTo((GuestValueType.Bytes, GuestValueType.Int)));
        AssertUsable();
    }

    [Test]
    public void A_host_function_of_a_signature_gets_and_returns_every_type()
    {
        var received = new List<GuestValue>();
        foreach (GuestValue sample in Samples)
        {
            Sandbox.WithHostFunction($"HostEcho{sample.Type}", [sample.Type], sample.Type, arguments =>
            {
                received.Add(arguments[0]);
                return arguments[0];
            });
            Assert.That(Sandbox.Call<GuestValue>($"RoundTrip{sample.Type}", sample), Is.EqualTo(sample));
        }

        Assert.That(received, Is.EqualTo(Samples));
        int calls = 0;
        Sandbox.WithHostFunction("HostVoid", [], GuestValueType.Void, _ =>
        {
            calls++;
            return default;
        });
        Sandbox.Call("RoundTripVoid");
        Assert.That(calls, Is.EqualTo(1));
    }

    [Test]
    public void A_host_function_of_a_signature_may_have_many_parameters_and_a_token()
    {
        bool cancellable = false;
        Sandbox.WithHostFunction(
            "HostSumTen", [.. Enumerable.Repeat(GuestValueType.Int, 10)], GuestValueType.Long, (arguments, token) =>
            {
                cancellable = token.CanBeCanceled;
                long sum = 0;
                foreach (GuestValue argument in arguments)
                {
                    sum += argument.AsInt32();
                }

                return sum;
            });

        Assert.That(Sandbox.Call<long>("CallHostMany"), Is.EqualTo(55));
        Assert.That(cancellable);
    }

    [Test]
    public void A_host_function_that_returns_another_type_than_its_signature_fails()
    {
        foreach (GuestValue wrong in new GuestValue[] { 1L, default, "1" })
        {
            Sandbox.RemoveHostFunction("HostEchoInt");
            Sandbox.WithHostFunction("HostEchoInt", [GuestValueType.Int], GuestValueType.Int, _ => wrong);

            GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("RoundTripInt", 1))!;

            Assert.That(error.InnerException, Is.TypeOf<GuestValueTypeException>());
            Assert.That(error.HostFunctionFailure, Does.Contain("HostEchoInt").And.Contain($"{wrong.Type}").And.Contain("Int"));
        }

        Sandbox.WithHostFunction("HostVoid", [], GuestValueType.Void, _ => 1);
        Assert.That(() => Sandbox.Call("RoundTripVoid"), Throws.TypeOf<GuestErrorException>());
        AssertUsable();
    }

    [Test]
    public void Arguments_that_do_not_fit_a_signature_do_not_reach_the_function()
    {
        Sandbox.WithHostFunction("HostEchoInt", [GuestValueType.Long], GuestValueType.Int, _ => throw new AssertionException("it was called"));

        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("RoundTripInt", 1))!;

        Assert.That(error.GuestMessage, Does.Contain("Failed To Convert Parameter Value Int(1) to \"i64\""));
        AssertUsable();
    }

    [Test]
    public void A_host_function_of_a_signature_is_in_the_signatures_of_a_snapshot()
    {
        Sandbox.WithHostFunction("HostEchoInt", [GuestValueType.Int], GuestValueType.Int, arguments => arguments[0]);
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        using MultiUseSandbox same = new SandboxBuilder()
            .WithHypervisor(Target.Hypervisor).WithSnapshot(snapshot).WithHostFunction("HostEchoInt", (int x) => x).Build();

        Assert.That(same.Call<int>("RoundTripInt", 5), Is.EqualTo(5));
        Assert.That(
            () => new SandboxBuilder().WithHypervisor(Target.Hypervisor).WithSnapshot(snapshot)
                .WithHostFunction("HostEchoInt", [GuestValueType.Long], GuestValueType.Int, _ => 1).Build(),
            Throws.TypeOf<SnapshotMismatchException>());
    }
}
