using System.Text;

namespace Hyperlight.Host.Functions;

/// <summary>The host function through which guests print. Every sandbox has one, unless the application registers its own.</summary>
internal static class PrintFunction
{
    public const string Name = "HostPrint";

    /// <summary>A function that passes the guest's text on and answers with its length in bytes.</summary>
    public static HostFunction Create(Action<string> print) => new(
        Name,
        GuestValueType.Int,
        (ref HostFunctionFrame frame) =>
        {
            string text = frame.Argument<string>(0);
            print(text);
            frame.Return(Encoding.UTF8.GetByteCount(text));
        },
        GuestValueType.String);
}
