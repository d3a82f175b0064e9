namespace Hyperlight.Emulator.Decoding;

/// <summary>What a machine has added to a <see cref="DecodedCodeCache"/>.</summary>
/// <param name="Starts">How often the cache had started over.</param>
/// <param name="Size">The size of what was added since.</param>
internal readonly record struct DecodedCodeShare(long Starts, long Size);
