using Hyperlight.Host.Wire;

namespace Hyperlight.Tests.Host.Wire;

/// <summary>The wire format against messages of an independent encoder, byte by byte in both directions.</summary>
[TestFixture]
internal sealed class GoldenVectorTests
{
    [Test]
    public void A_function_call_is_encoded_byte_for_byte()
    {
        byte[] message = WireMessages.EncodeCall("Add", [1, 2], GuestValueType.Int);

        Assert.That(message, Is.EqualTo(GoldenVectors.AddCall));
    }

    [Test]
    public void A_result_is_encoded_byte_for_byte() =>
        Assert.That(WireMessages.EncodeValue(3), Is.EqualTo(GoldenVectors.IntResult));

    [Test]
    public void An_error_is_encoded_byte_for_byte() =>
        Assert.That(WireMessages.EncodeError(GuestErrorCode.GuestError, "boom"), Is.EqualTo(GoldenVectors.ErrorResult));

    [Test]
    public void A_function_call_is_decoded()
    {
        var call = new FunctionCallReader(GoldenVectors.AddCall);

        Assert.That(call.Name.ToArray(), Is.EqualTo("Add"u8.ToArray()));
        Assert.That(call.ParameterCount, Is.EqualTo(2));
        Assert.That(call.GetParameterType(0), Is.EqualTo(GuestValueType.Int));
        Assert.That(call.GetParameter<int>(0), Is.EqualTo(1));
        Assert.That(call.GetParameter<int>(1), Is.EqualTo(2));
    }

    [Test]
    public void A_result_is_decoded()
    {
        var result = new FunctionResultReader(GoldenVectors.IntResult);

        Assert.That(result.IsError, Is.False);
        Assert.That(result.ValueType, Is.EqualTo(GuestValueType.Int));
        Assert.That(result.GetValue<int>(), Is.EqualTo(3));
    }

    [Test]
    public void An_error_is_decoded()
    {
        var result = new FunctionResultReader(GoldenVectors.ErrorResult);

        Assert.That(result.IsError, Is.True);
        Assert.That(result.ErrorCode, Is.EqualTo(15));
        Assert.That(result.ErrorMessage, Is.EqualTo("boom"));
    }
}
