using Hyperlight.Host.Wire;

namespace Hyperlight.Tests.Host.Wire;

/// <summary>Encodes whole messages the way the host does: measured first, then written into exactly that many bytes.</summary>
internal static class WireMessages
{
    public static byte[] EncodeCall(string name, ReadOnlySpan<GuestValue> arguments, GuestValueType result)
    {
        byte[] message = new byte[FunctionCallEncoder.Encode(default, name, arguments, result)];
        Array.Fill(message, (byte)0xA5);
        FunctionCallEncoder.Encode(message, name, arguments, result);
        return message;
    }

    public static byte[] EncodeValue<T>(T value)
    {
        byte[] message = new byte[FunctionResultEncoder.EncodeValue(default, value)];
        Array.Fill(message, (byte)0xA5);
        FunctionResultEncoder.EncodeValue(message, value);
        return message;
    }

    public static byte[] EncodeError(GuestErrorCode code, string text)
    {
        byte[] message = new byte[FunctionResultEncoder.EncodeError(default, code, text)];
        Array.Fill(message, (byte)0xA5);
        FunctionResultEncoder.EncodeError(message, code, text);
        return message;
    }
}
