namespace Hyperlight.Emulator.Cpu;

/// <summary>What has to be as it was for a block that could be entered once to be entered again without a check, whichever it is.</summary>
/// <param name="PermitsVectors">Whether the guest may use vectors.</param>
/// <param name="PermitsFloats">Whether the guest masks all exceptions of floating-point instructions.</param>
internal readonly record struct LinkStamp(bool PermitsVectors, bool PermitsFloats);
