using System.Buffers;
using System.Globalization;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Execution;

/// <summary>Says where in its ELF file a guest failed: addresses as the file has them, and functions if it has symbols.</summary>
internal sealed class FaultLocator(GuestBinary? guest)
{
    /// <summary>What the runtimes of C and Rust guests write before the address of the instruction.</summary>
    private static readonly string[] InstructionLabels = ["Instruction address: ", "Faulting Instruction: "];

    private static readonly string[] AccessLabels = ["Fault address: ", "Page Fault Address: "];

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>The guest that runs; <see langword="null"/> if it came from a saved snapshot.</summary>
    public GuestBinary? Guest { get; set; } = guest;

    /// <summary>Where an instruction is.</summary>
    /// <returns>Such as <c>0x1174 in main+0x12</c>; <see langword="null"/> if it is not in the guest's image.</returns>
    public string? Locate(ulong instruction) => Guest?.Image.Describe(instruction, GuestAddresses.ImageBase);

    /// <summary>Where the machine stopped.</summary>
    public string? Locate(IVirtualMachine machine) => Guest is null ? null : Locate(machine.GetGeneralRegisters().Rip);

    /// <summary>Where a processor exception happened, by the text that the guest sent about it.</summary>
    public string? Locate(string exceptionText)
    {
        if (FindAddress(exceptionText, InstructionLabels) is not { } instruction || Locate(instruction) is not { } location)
        {
            return null;
        }

        return FindAddress(exceptionText, AccessLabels) is { } access && access != instruction && Locate(access) is { } accessed
            ? $"{location}, accessing {accessed}"
            : location;
    }

    /// <summary>A message with the location behind it, if there is one.</summary>
    public static string Append(string message, string? location) =>
        location is null ? message : $"{message}{(message.EndsWith('.') ? "" : ".")} This was at {location} of the guest's ELF file.";

    private static ulong? FindAddress(string text, string[] labels)
    {
        foreach (string label in labels)
        {
            int at = text.IndexOf(label, StringComparison.Ordinal);
            if (at < 0)
            {
                continue;
            }

            ReadOnlySpan<char> number = text.AsSpan(at + label.Length);
            number = number.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? number[2..] : number;
            int end = number.IndexOfAnyExcept(HexDigits);
            return ulong.TryParse(end < 0 ? number : number[..end], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong address)
                ? address
                : null;
        }

        return null;
    }
}
