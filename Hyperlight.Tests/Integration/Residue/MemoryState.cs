using System.Security.Cryptography;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>What is in every page that a guest sees, by its guest physical address.</summary>
internal static class MemoryState
{
    private const string Zero = "zero";

    public static void AddTo(SortedDictionary<string, object> state, IEnumerable<GuestMapping> mappings)
    {
        byte[] page = new byte[GuestPage.Size];
        foreach (GuestMapping mapping in mappings)
        {
            for (nuint offset = 0; offset < mapping.Size; offset += GuestPage.Size)
            {
                mapping.Region.Read(mapping.RegionOffset + offset, page);
                state.Add($"Memory.{mapping.GuestAddress + offset:X9}", page.AsSpan().ContainsAnyExcept((byte)0) ? Digest(page) : Zero);
            }
        }
    }

    private static string Digest(byte[] page) => Convert.ToHexString(SHA256.HashData(page).AsSpan(0, 8));
}
