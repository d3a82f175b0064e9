namespace Hyperlight.Programs;

/// <summary>What <see cref="ProgramImageCache.Clean"/> has done. Immutable.</summary>
/// <param name="RemovedImages">The number of images that were removed.</param>
/// <param name="RemovedBytes">Their bytes.</param>
/// <param name="KeptImages">The number of images that are left.</param>
/// <param name="KeptBytes">Their bytes.</param>
public readonly record struct ProgramImageCleaning(int RemovedImages, long RemovedBytes, int KeptImages, long KeptBytes);
