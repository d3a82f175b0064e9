namespace Hyperlight.Emulator.Cpu;

/// <summary>The components of the XSAVE image that this processor has.</summary>
internal static class XsaveComponents
{
    public const ulong SupportedComponents = X87Component | SseComponent;

    public const ulong X87Component = 1;
    public const ulong SseComponent = 2;
}
