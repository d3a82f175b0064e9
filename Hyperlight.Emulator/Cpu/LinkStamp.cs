namespace Hyperlight.Emulator.Cpu;

/// <summary>What has to be as it was for a block that could be entered once to be entered again without a check.</summary>
/// <param name="Run">The run, if the host may have changed the guest's code since; otherwise 0.</param>
/// <param name="Version">The decoded blocks: each time that some are forgotten, because they were written or for lack of memory.</param>
/// <param name="PermitsVectors">Whether the guest may use vectors.</param>
/// <param name="PermitsFloats">Whether the guest masks all exceptions of floating-point instructions.</param>
internal readonly record struct LinkStamp(long Run, long Version, bool PermitsVectors, bool PermitsFloats);
