namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Where emitted code is entered, but for its beginning.</summary>
/// <param name="LinkedEntry">Where the code of another region enters it, with the address of a block in R14.</param>
/// <param name="Blocks">Where each of its blocks begins.</param>
/// <param name="IsUser">Whether its accesses are those of a user.</param>
internal sealed record EmittedLayout(int LinkedEntry, int[] Blocks, bool IsUser);
