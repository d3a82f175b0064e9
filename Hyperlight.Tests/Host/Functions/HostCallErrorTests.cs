using Hyperlight.Abstractions;
using Hyperlight.Host.Budgets;
using Hyperlight.Host.Execution;
using Hyperlight.Host.Functions;
using Hyperlight.Host.Protocol;
using Hyperlight.Host.Sandboxes;
using Hyperlight.Host.Wire;
using Hyperlight.Tests.Host.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Moq;

namespace Hyperlight.Tests.Host.Functions;

/// <summary>
/// What a guest is told when its call of a host function fails. The texts are part of the guest ABI: guests compare them, so
/// they are those of hyperlight-host to the letter. The application is told more.
/// </summary>
[TestFixture]
internal sealed class HostCallErrorTests
{
    private const int BufferSize = 0x1000;

    private static readonly Interrupter NoInterrupts = new(
        new SandboxGate(),
        Mock.Of<IVirtualMachine>(),
        new CallMeter(new InstructionLimit("mock", Mock.Of<IVirtualMachine>(), limit: null)),
        NullLogger.Instance);

    private ManagedMemoryRegion _memory = null!;
    private SharedBuffer _input = null!;
    private Registrar _functions = null!;

    [SetUp]
    public void SetUp()
    {
        _memory = new ManagedMemoryRegion(BufferSize);
        _input = new SharedBuffer(_memory, 0, BufferSize, "input");
        _input.Reset();
        _functions = new Registrar();
    }

    [TearDown]
    public void TearDown() => _memory.Dispose();

    [Test]
    public void An_unregistered_function_was_not_found()
    {
        Assert.That(GuestTextOf("NoSuch", out HostFunctionFailure failure), Is.EqualTo("HostFunction NoSuch was not found"));
        Assert.That(failure.Description, Is.EqualTo("Host function 'NoSuch' is not registered."));
        Assert.That(failure.Exception, Is.Null);
    }

    [Test]
    public void An_exception_is_its_message_alone()
    {
        var exception = new InvalidDataException("hi");
        _functions.WithHostFunction("HostError", int () => throw exception);

        Assert.That(GuestTextOf("HostError", out HostFunctionFailure failure), Is.EqualTo("hi"));
        Assert.That(failure.Description, Is.EqualTo("Host function 'HostError' failed: hi"));
        Assert.That(failure.Exception, Is.SameAs(exception));
    }

    [Test]
    public void A_wrong_number_of_arguments()
    {
        _functions.WithHostFunction("Add", (int a, int b) => a + b);

        Assert.That(
            GuestTextOf("Add", out HostFunctionFailure failure, 1),
            Is.EqualTo("The number of arguments to the function is wrong: got 1 expected 2"));
        Assert.That(failure.Description, Is.EqualTo("Host function 'Add' takes 2 argument(s), but the guest passed 1."));
    }

    [TestCaseSource(nameof(Values))]
    public void A_wrong_type_shows_the_value(GuestValue value, string text)
    {
        _functions.WithHostFunction("F", (int _) => 1).WithHostFunction("G", (bool _) => 1);
        (string function, string type) = value.Type == GuestValueType.Int ? ("G", "bool") : ("F", "i32");

        Assert.That(
            GuestTextOf(function, out _, value), Is.EqualTo($"Failed To Convert Parameter Value {text} to \"{type}\""));
    }

    private static IEnumerable<TestCaseData> Values()
    {
        (GuestValue Value, string Text)[] values =
        [
            (1, "Int(1)"), (int.MinValue, "Int(-2147483648)"), (uint.MaxValue, "UInt(4294967295)"), (1L, "Long(1)"),
            (long.MinValue, "Long(-9223372036854775808)"), (ulong.MaxValue, "ULong(18446744073709551615)"),
            (true, "Bool(true)"), (false, "Bool(false)"),
            (1f, "Float(1.0)"), (0.1f, "Float(0.1)"), (-2.5f, "Float(-2.5)"), (16777216f, "Float(16777216.0)"),
            (1e16f, "Float(1e16)"), (float.NaN, "Float(NaN)"), (float.NegativeInfinity, "Float(-inf)"),
            (0.0, "Double(0.0)"), (-0.0, "Double(-0.0)"), (0.0001, "Double(0.0001)"), (0.00009, "Double(9e-5)"),
            (1.5e-7, "Double(1.5e-7)"), (123.456, "Double(123.456)"), (9007199254740993.0, "Double(9007199254740992.0)"),
            (1e15, "Double(1000000000000000.0)"), (1e16, "Double(1e16)"), (1.25e300, "Double(1.25e300)"), (1e23, "Double(1e23)"),
            (double.MaxValue, "Double(1.7976931348623157e308)"), (double.Epsilon, "Double(5e-324)"), (double.PositiveInfinity, "Double(inf)"),
            ("", "String(\"\")"), ("not an int", "String(\"not an int\")"), ("it's \"q\" \\", "String(\"it's \\\"q\\\" \\\\\")"),
            ("a\tb\r\n", "String(\"a\\tb\\r\\n\")"), ("\0\u0001\u007f", "String(\"\\0\\u{1}\\u{7f}\")"),
            ("Grüße \U0001F600", "String(\"Grüße \U0001F600\")"), ("e\u0301\u00a0\u200b", "String(\"e\\u{301}\\u{a0}\\u{200b}\")"),
            (new byte[] { 1, 20, 255 }, "VecBytes([1, 20, 255])"), (Array.Empty<byte>(), "VecBytes([])"),
        ];
        return values.Select(v => new TestCaseData(v.Value, v.Text) { TestName = $"A wrong type shows the value: {v.Text}" });
    }

    [TestCaseSource(nameof(Types))]
    public void A_wrong_type_names_the_type_that_was_expected(HostFunction function, string type)
    {
        _functions.AddHostFunction(function);
        GuestValue value = type == "bool" ? 1 : true;
        string passed = type == "bool" ? "Int(1)" : "Bool(true)";

        Assert.That(
            GuestTextOf("F", out HostFunctionFailure failure, value),
            Is.EqualTo($"Failed To Convert Parameter Value {passed} to \"{type}\""));
        Assert.That(
            failure.Description,
            Is.EqualTo($"Argument 0 of host function 'F' is {function.ParameterTypes[0]}, but the guest passed {value.Type}."));
    }

    private static IEnumerable<TestCaseData> Types()
    {
        var functions = new Registrar();
        functions
            .WithHostFunction("F", (int _) => 1).WithHostFunction("F", (uint _) => 1)
            .WithHostFunction("F", (long _) => 1).WithHostFunction("F", (ulong _) => 1)
            .WithHostFunction("F", (float _) => 1).WithHostFunction("F", (double _) => 1)
            .WithHostFunction("F", (bool _) => 1).WithHostFunction("F", (string _) => 1)
            .WithHostFunction("F", (byte[] _) => 1);
        string[] names = ["i32", "u32", "i64", "u64", "f32", "f64", "bool", "String", "Vec<u8>"];
        return functions.Functions.Zip(names, (f, n) => new TestCaseData(f, n));
    }

    [Test]
    public void The_first_wrong_argument_is_the_one_that_is_shown()
    {
        _functions.WithHostFunction("F", (int a, int b, int c) => a + b + c);

        Assert.That(
            GuestTextOf("F", out HostFunctionFailure failure, 1, 2L, "three"),
            Is.EqualTo("Failed To Convert Parameter Value Long(2) to \"i32\""));
        Assert.That(failure.Description, Does.StartWith("Argument 1 "));
    }

    [Test]
    public void A_text_is_whole_as_long_as_it_fits([Values(1000, 3000, 4000)] int length)
    {
        string message = new('x', length);
        _functions.WithHostFunction("F", int () => throw new InvalidDataException(message));

        Assert.That(GuestTextOf("F", out _), Is.EqualTo(message));
    }

    [TestCase("x")]
    [TestCase("ü")]
    [TestCase("€")]
    [TestCase("\U0001F600")]
    public void A_text_that_does_not_fit_is_cut_between_characters(string character)
    {
        string message = string.Concat(Enumerable.Repeat(character, 5000));
        _functions.WithHostFunction("F", int () => throw new InvalidDataException(message));

        string text = GuestTextOf("F", out HostFunctionFailure failure);

        Assert.That(text, Does.EndWith("..."));
        Assert.That(message, Does.StartWith(text[..^3]));
        Assert.That(System.Text.Encoding.UTF8.GetByteCount(text), Is.GreaterThan(BufferSize - 400).And.LessThan(BufferSize));
        Assert.That(failure.Description, Does.Contain(message));
    }

    [Test]
    public void A_text_gets_what_the_guest_has_left_of_the_buffer()
    {
        _input.Reserve(BufferSize / 2, "A message", "of before", out int start);
        _input.Commit(start, BufferSize / 2);
        _functions.WithHostFunction("F", int () => throw new InvalidDataException(new string('x', 3000)));

        Assert.That(GuestTextOf("F", out _), Has.Length.InRange((BufferSize / 2) - 450, BufferSize / 2));
    }

    [Test]
    public void A_value_that_is_longer_than_the_buffer_is_cut()
    {
        _functions.WithHostFunction("F", (int _) => 1);

        Assert.That(GuestTextOf("F", out _, new byte[100_000]), Does.StartWith("Failed To Convert Parameter Value VecBytes([0, 0,").And.EndsWith("..."));
        Assert.That(GuestTextOf("F", out _, new string('\u0001', 100_000)), Does.StartWith("Failed To Convert Parameter Value String(\"\\u{1}").And.EndsWith("..."));
    }

    [Test]
    public void An_error_that_does_not_fit_at_all_ends_the_call()
    {
        _input.Reserve(BufferSize - 32, "A message", "of before", out int start);
        _input.Commit(start, BufferSize - 32);

        Assert.That(() => Answer("NoSuch"), Throws.TypeOf<MessageTooLargeException>().With.Message.Contains("NoSuch"));
    }

    [Test]
    public void A_result_that_does_not_fit_ends_the_call_and_is_no_failure_of_the_function()
    {
        _functions.WithHostFunction("F", () => new byte[BufferSize]);

        Assert.That(() => Answer("F"), Throws.TypeOf<MessageTooLargeException>().With.Message.Contains("'F'"));
    }

    [Test]
    public void A_result_that_is_not_unicode_is_the_functions_failure()
    {
        _functions.WithHostFunction("F", () => "ab\uD800c");

        string text = GuestTextOf("F", out HostFunctionFailure failure);

        Assert.That(text, Does.Contain("not valid Unicode").And.Contain("0xD800").And.Contain("index 2"));
        Assert.That(failure.Description, Does.StartWith("Host function 'F' failed: "));
        Assert.That(failure.Exception, Is.InstanceOf<ArgumentException>());
    }

    [Test]
    public void A_message_that_is_not_unicode_is_sent_with_a_replacement()
    {
        _functions.WithHostFunction("F", int () => throw new InvalidDataException("a\uDC00b"));

        Assert.That(GuestTextOf("F", out _), Is.EqualTo("a\uFFFDb"));
    }

    [Test]
    public void Arguments_that_are_malformed_are_no_failure_of_the_function()
    {
        _functions.WithHostFunction("F", (string s) => s.Length);
        byte[] call = WireMessages.EncodeCall("F", ["text"], GuestValueType.Int);
        call[call.AsSpan().IndexOf("text"u8)] = 0xFF;

        Assert.That(() => Table().Answer(call, _input, NoInterrupts), Throws.TypeOf<GuestProtocolException>());
    }

    private string GuestTextOf(string function, out HostFunctionFailure failure, params GuestValue[] arguments)
    {
        failure = Answer(function, arguments)!;
        using CommunityToolkit.HighPerformance.Buffers.SpanOwner<byte> message = _input.Pop();
        var result = new FunctionResultReader(message.Span);
        Assert.That(result.IsError);
        Assert.That(result.ErrorCode, Is.EqualTo((ulong)GuestErrorCode.HostFunctionError));
        return result.ErrorMessage;
    }

    private HostFunctionFailure? Answer(string function, params GuestValue[] arguments) =>
        Table().Answer(WireMessages.EncodeCall(function, arguments, GuestValueType.Int), _input, NoInterrupts).Failure;

    private HostFunctionTable Table() => new(_functions.Functions.Aggregate(HostFunctionSet.Empty, static (set, function) => set.With(function)));
}
