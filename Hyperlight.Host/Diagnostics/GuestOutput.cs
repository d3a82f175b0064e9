using System.Text;

namespace Hyperlight.Host.Diagnostics;

/// <summary>Where what one guest prints and writes to the debug port goes.</summary>
internal sealed class GuestOutput
{
    private readonly OutputLines? _printed;
    private readonly OutputLines? _debug;
    private readonly GuestLog _log;

    /// <param name="print">The host function for what is printed; <see langword="null"/> to log it.</param>
    /// <param name="debugPrint">The application's function for the debug port; <see langword="null"/> to log it.</param>
    /// <param name="log">The log.</param>
    public GuestOutput(HostFunction? print, Action<Rune>? debugPrint, GuestLog log)
    {
        _log = log;
        _printed = print is null ? new OutputLines(log.WritePrinted) : null;
        _debug = debugPrint is null ? new OutputLines(log.WriteDebugOutput) : null;
        PrintFunction = print ?? Functions.PrintFunction.Create(_printed!.Write);
        DebugPrint = debugPrint ?? (character => _debug!.Write(character.ToString()));
    }

    /// <summary>The host function through which the guest prints.</summary>
    public HostFunction PrintFunction { get; }

    /// <summary>Takes a character of the debug port.</summary>
    public Action<Rune> DebugPrint { get; }

    /// <summary>The host function that prints to the console.</summary>
    public static HostFunction ConsolePrint { get; } = Functions.PrintFunction.Create(PrintToConsole);

    /// <summary>Writes to the console.</summary>
    public static void PrintToConsole(string text) => Console.Write(GuestText.EscapeLines(text));

    /// <summary>Writes to the console's error output.</summary>
    public static void DebugPrintToConsole(Rune character) => Console.Error.Write(GuestText.EscapeLines(character.ToString()));

    /// <summary>The guest has returned: logs what it has written of a line that has not ended, and how many records were dropped.</summary>
    public void Flush()
    {
        _printed?.Flush();
        _debug?.Flush();
        _log.ReportDropped();
    }
}
