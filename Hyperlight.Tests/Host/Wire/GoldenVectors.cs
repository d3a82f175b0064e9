namespace Hyperlight.Tests.Host.Wire;

/// <summary>Messages that an independent encoder produced from the schema.</summary>
internal static class GoldenVectors
{
    /// <summary>FunctionCall{"Add", [hlint 1, hlint 2], guest, returns hlint}.</summary>
    public static byte[] AddCall { get; } = Convert.FromHexString(
        "74000000100000000000 0a0010000800".Replace(" ", "", StringComparison.Ordinal)
        + "0c0007000a0000000000000154000000"
        + "04000000020000002c0000000c000000"
        + "08000c00070008000800000000000001"
        + "04000000e2ffffff0200000008000e00"
        + "070008000800000000000001" + "0c000000"
        + "00000600080004000600000001000000"
        + "0300000041646400");

    /// <summary>FunctionCallResult{ReturnValueBox{hlint 3}}.</summary>
    public static byte[] IntResult { get; } = Convert.FromHexString(
        "3c0000000c00000008000c0007000800"
        + "08000000000000010c00000008000e00"
        + "070008000800000000000001" + "0c000000"
        + "00000600080004000600000003000000");

    /// <summary>FunctionCallResult{GuestError{15, "boom"}}.</summary>
    public static byte[] ErrorResult { get; } = Convert.FromHexString(
        "44000000100000000000000008000c00"
        + "07000800080000000000000" + "20c000000"
        + "08001400080004000800000010000000"
        + "0f00000000000000" + "0000000004000000"
        + "626f6f6d00000000");
}
