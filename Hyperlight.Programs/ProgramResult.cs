using System.Text;

namespace Hyperlight.Programs;

/// <summary>What a run of a program had as its result. Immutable.</summary>
public sealed class ProgramResult
{
    /// <summary>What a shell adds to the number of a signal.</summary>
    internal const int SignalExitCode = 128;

    /// <summary>SIGKILL.</summary>
    private const int Killed = 9;

    internal ProgramResult(ProgramEnd end, int code, int? signal, ReadOnlyMemory<byte> output, ReadOnlyMemory<byte> error)
    {
        End = end;
        ExitCode = signal is { } number ? SignalExitCode + number : code;
        Signal = signal;
        StandardOutputBytes = output;
        StandardErrorBytes = error;
    }

    internal static ProgramResult Of(ProgramReport report, ReadOnlyMemory<byte> output, ReadOnlyMemory<byte> error, ProgramUsage usage, RunFiles? files = null) =>
        new(report.End, report.ExitCode, report.Signal, output, error)
        {
            FaultAddress = report.FaultAddress,
            Usage = usage with { SystemCalls = report.SystemCalls },
            UnsupportedSystemCalls = report.UnsupportedSystemCalls,
            CollectedFiles = files?.Output ?? new Dictionary<string, ReadOnlyMemory<byte>>(),
            IsFileLimitReached = files is { IsLimitReached: true },
            LeftOutFiles = files?.LeftOut ?? [],
        };

    /// <summary>The result of a run that the host has ended: the kernel has not reported.</summary>
    internal static ProgramResult OfLimit(ProgramEnd end, ReadOnlyMemory<byte> output, ReadOnlyMemory<byte> error, ProgramUsage usage) =>
        new(end, 0, Killed, output, error) { Usage = usage };

    /// <summary>How the run ended.</summary>
    public ProgramEnd End { get; }

    /// <summary>
    /// The program's exit status, from 0 to 255; 128 and the number of the signal if a signal ended it. A limit ends a program
    /// with the signal <c>SIGKILL</c>: 137.
    /// </summary>
    public int ExitCode { get; }

    /// <summary>The number of the signal that ended the program, as on Linux for x86-64; <see langword="null"/> if none did.</summary>
    public int? Signal { get; }

    /// <summary>
    /// The address whose access was refused, or the address of the instruction for signals that are not about an access; 0 if the
    /// processor raised no exception.
    /// </summary>
    public ulong FaultAddress { get; private init; }

    /// <summary>The standard output, decoded as UTF-8; invalid bytes are replaced.</summary>
    public string StandardOutput => Encoding.UTF8.GetString(StandardOutputBytes.Span);

    /// <summary>The standard error, decoded as UTF-8; invalid bytes are replaced.</summary>
    public string StandardError => Encoding.UTF8.GetString(StandardErrorBytes.Span);

    /// <summary>The bytes of the standard output.</summary>
    public ReadOnlyMemory<byte> StandardOutputBytes { get; }

    /// <summary>The bytes of the standard error.</summary>
    public ReadOnlyMemory<byte> StandardErrorBytes { get; }

    /// <summary>
    /// Whether files are missing, because there are more than <see cref="ProgramLimits.OutputFileBytes"/> or <see
    /// cref="ProgramLimits.OutputFiles"/> allow, or because their paths have more than 4095 bytes.
    /// </summary>
    public bool IsFileLimitReached { get; private init; }

    /// <summary>
    /// Files that are missing because their paths are not UTF-8. Bytes that are not UTF-8 and control characters are replaced, and long
    /// paths are shortened: this is for messages.
    /// </summary>
    public IReadOnlyList<string> LeftOutFiles { get; internal init; } = [];

    /// <summary>The files that were collected.</summary>
    internal IReadOnlyDictionary<string, ReadOnlyMemory<byte>> CollectedFiles { get; init; } = new Dictionary<string, ReadOnlyMemory<byte>>();

    /// <summary>
    /// The regular files that the program has left in a directory and in those that are in it. Their paths are checked: they are in the
    /// directory, and have no <c>..</c>. Empty if a time limit ended the run, because the guest has stopped then.
    /// </summary>
    /// <param name="directory">One of <see cref="ProgramInput.OutputDirectories"/>, or a directory in one of them.</param>
    /// <returns>The content by the absolute path in the image.</returns>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        return CollectedFiles.Where(file => RunFiles.IsIn(file.Key, directory)).ToDictionary();
    }

    /// <summary>What the run has used.</summary>
    public ProgramUsage Usage { get; internal init; }

    /// <summary>
    /// The system calls that the program made and that are not implemented, in the order of their numbers. Empty if a limit of time or
    /// instructions ended the run, because the guest has stopped then.
    /// </summary>
    public IReadOnlyList<UnsupportedSystemCall> UnsupportedSystemCalls { get; private init; } = [];
}
