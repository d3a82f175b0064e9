namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Where the guest's arithmetic flags are at a point of emitted code.</summary>
internal enum FlagPlace
{
    /// <summary>In RAX, as LAHF and SETO leave them.</summary>
    Saved,

    /// <summary>In the host's flags alone.</summary>
    Host,

    /// <summary>In both.</summary>
    Both,

    /// <summary>Nowhere: they follow from registers of the guest, and only the interpreter may want them.</summary>
    Computed,
}
