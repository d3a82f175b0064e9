using Iced.Intel;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>What the patterns of the verifier have in common.</summary>
internal static class StraightCode
{
    /// <summary>Whether instructions follow each other and nothing branches to any but the first.</summary>
    /// <param name="code">The code.</param>
    /// <param name="references">How often each address is branched to or entered.</param>
    /// <param name="start">The first instruction.</param>
    /// <param name="length">How many there are.</param>
    public static bool Is(List<Instruction> code, Dictionary<ulong, int> references, int start, int length)
    {
        for (int i = start + 1; i < start + length; i++)
        {
            if (i >= code.Count || references.ContainsKey(code[i].IP))
            {
                return false;
            }
        }

        return start + length <= code.Count;
    }
}
