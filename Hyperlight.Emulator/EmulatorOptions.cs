namespace Hyperlight.Emulator;

/// <summary>How an emulated machine works. Every choice gives the same results.</summary>
public sealed class EmulatorOptions
{
    /// <summary>
    /// Whether code that runs often is translated to code of the host. Default <see langword="true"/>; without effect where
    /// the runtime cannot compile code while it runs, as after ahead-of-time compilation: everything is interpreted there.
    /// </summary>
    public bool TranslateHotCode { get; init; } = true;

    /// <summary>How often a block is interpreted before it is translated. Tests lower it.</summary>
    internal int HotThreshold { get; init; } = 400;
}
