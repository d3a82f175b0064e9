namespace Hyperlight.Tests.Integration;

/// <summary>
/// A guest in assembler that was written from the ABI's specification alone. It checks what the host promises at its entry
/// and at each call, and writes its messages in another layout than the usual builders do.
/// </summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class SpecificationGuestTests(TestTarget target)
{
    private const string Guest = "asmguest.elf";
    private const uint PromisesChecked = 72;

    private MultiUseSandbox _sandbox = null!;

    [SetUp]
    public void SetUp() => _sandbox = target.BuilderFor(Guest).Build();

    [TearDown]
    public void TearDown() => _sandbox.Dispose();

    [Test]
    public void The_guest_starts_as_the_abi_requires() => Assert.That(_sandbox.Call<uint>("Checks"), Is.EqualTo(PromisesChecked));

    [Test]
    public void The_guest_starts_as_the_abi_requires_with_other_sizes(
        [Values(0x2000, 0x2001, 0x10000)] int buffer, [Values(0x20000UL, 0x30001UL, 0x100_0000UL)] ulong heap)
    {
        using MultiUseSandbox sandbox = target.BuilderFor(Guest)
            .WithInitData(new byte[123])
            .WithConfiguration(new SandboxConfiguration
            {
                InputBufferSize = buffer,
                OutputBufferSize = buffer,
                HeapSize = heap,
                ScratchSize = 0x80000,
            })
            .Build();

        Assert.That(sandbox.Call<uint>("Checks"), Is.EqualTo(PromisesChecked));
    }

    [Test]
    public void Ints() => Assert.That(_sandbox.Call<int>("Add", 40, 2), Is.EqualTo(42));

    [Test]
    public void Longs() => Assert.That(_sandbox.Call<long>("Negate", long.MaxValue), Is.EqualTo(-long.MaxValue));

    [TestCase("")]
    [TestCase("Grüße")]
    public void Strings(string text) => Assert.That(_sandbox.Call<string>("EchoString", text), Is.EqualTo(text));

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(1000)]
    public void Bytes(int length)
    {
        byte[] bytes = [.. Enumerable.Range(0, length).Select(i => (byte)i)];

        Assert.That(_sandbox.Call<byte[]>("EchoBytes", bytes), Is.EqualTo(bytes));
    }

    [Test]
    public void A_host_function()
    {
        _sandbox.WithHostFunction("HostDouble", (int x) => 2 * x);

        Assert.That(_sandbox.Call<int>("CallHostDouble", 21), Is.EqualTo(43));
    }

    [Test]
    public void A_host_function_that_is_missing()
    {
        GuestErrorException error = Assert.Throws<GuestErrorException>(() => _sandbox.Call<int>("CallHostDouble", 21))!;

        Assert.That(error.Code, Is.EqualTo(GuestErrorCode.HostFunctionError));
        Assert.That(error.GuestMessage, Is.EqualTo("HostFunction HostDouble was not found"));
    }

    [Test]
    public void A_log_record()
    {
        using var loggers = new RecordingLoggers(Microsoft.Extensions.Logging.LogLevel.Information);
        using MultiUseSandbox sandbox = target.BuilderFor(Guest).WithLogging(loggers).Build();

        sandbox.Call("LogIt", "from assembler");

        Assert.That(loggers.Guest.Single().Text, Is.EqualTo("from assembler [asm asm asmguest.S:42]"));
    }

    [Test]
    public void The_worked_example_of_an_abort()
    {
        GuestAbortedException error = Assert.Throws<GuestAbortedException>(() => _sandbox.Call("AbortNow"))!;

        Assert.That(error.Code, Is.EqualTo(13));
        Assert.That(error.GuestMessage, Is.EqualTo("hi"));
    }

    [TestCase("NoSuchFunction", GuestErrorCode.GuestFunctionNotFound)]
    [TestCase("Add", GuestErrorCode.GuestFunctionIncorrectArgumentCount)]
    [TestCase("Negate", GuestErrorCode.GuestFunctionParameterTypeMismatch)]
    public void Errors(string function, GuestErrorCode code) => Assert.That(
        () => _sandbox.Call<int>(function, "text"),
        Throws.TypeOf<GuestErrorException>().With.Property(nameof(GuestErrorException.Code)).EqualTo(code));

    [Test]
    public void Many_calls()
    {
        for (int i = 0; i < 50; i++)
        {
            Assert.That(_sandbox.Call<int>("Add", i, i), Is.EqualTo(2 * i));
        }
    }
}
