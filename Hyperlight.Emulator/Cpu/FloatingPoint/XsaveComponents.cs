namespace Hyperlight.Emulator.Cpu;

/// <summary>The components of the XSAVE image that this processor has.</summary>
internal static class XsaveComponents
{
    public const ulong SupportedComponents = X87Component | SseComponent;

    public const ulong X87Component = 1;
    public const ulong SseComponent = 2;

    /// <summary>Sets XCR0, unless that is impossible.</summary>
    public static bool TrySet(ref ulong xcr0, ulong value)
    {
        if ((value & X87Component) == 0 || (value & ~SupportedComponents) != 0)
        {
            return false;
        }

        xcr0 = value;
        return true;
    }
}
