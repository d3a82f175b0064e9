namespace Hyperlight.Whp;

/// <summary>How the platform stores the extended state of a processor.</summary>
/// <param name="Size">Bytes of the image.</param>
/// <param name="XcompBv">What the image of a fresh processor has room for; 0 if it is not compacted.</param>
internal sealed record XsaveFormat(int Size, ulong XcompBv);
