namespace Hyperlight.Emulator.Memory;

/// <summary>Memory for the translations of one kind of rights, which its owner keeps for as long as it is used.</summary>
/// <param name="entries">Memory for <see cref="Tlb.Count"/> translations.</param>
/// <param name="predictions">Memory of <see cref="PredictionTable.Size"/>.</param>
/// <param name="unusedPage">A page that is used for nothing else.</param>
internal readonly unsafe struct TranslationMemory(TlbEntry* entries, byte* predictions, byte* unusedPage)
{
    public TlbEntry* Entries => entries;

    public byte* Predictions => predictions;

    public byte* UnusedPage => unusedPage;
}
