namespace Hyperlight.Abstractions;

/// <summary>
/// What a virtual machine offers in addition if it knows which pages its guest has written. A driver whose machines do not
/// know it does not implement it; ask by a type test.
/// </summary>
public interface IWriteTracker
{
    /// <summary>
    /// How many pages of 4 KiB the guest has written so far, in all mappings: by instructions, or by its processor. A page
    /// counts once, and again when it is written after <see cref="ClearWritten"/>. Pages of files do not count. Reading it
    /// allocates nothing, and any thread can do it while the guest runs, or after the machine was disposed.
    /// </summary>
    long WrittenPageCount { get; }

    /// <summary>
    /// Sets to zero every page of a slot's mapping that the guest has written through it, since the slot was filled or since
    /// the last call: by instructions, or by its processor, which writes exception frames and marks in page tables. Other
    /// pages may be cleared too. What the host wrote through the region is not known here and stays, unless the guest
    /// wrote to the same page. Pages of files stay.
    /// </summary>
    /// <param name="slot">The slot.</param>
    /// <exception cref="InvalidOperationException">The slot is free.</exception>
    void ClearWritten(uint slot);
}
