using System.Buffers.Binary;
using System.Text;

namespace Hyperlight.Programs;

/// <summary>The result of the kernel's function RunProgram. A program may have taken over the kernel: every field is checked.</summary>
internal sealed class ProgramReport
{
    private const int HeaderSize = 32;
    private const int EntrySize = 32;
    private const int NameOffset = 8;
    private const int MaximumEntries = 400;
    private const int HighestSignal = 64;
    private const int Deadlock = 3;
    private const int AtCheckpoint = 4;
    private const int SystemCallLimit = 5;
    private const int HighestReason = SystemCallLimit;

    private ProgramReport(uint exitCode, uint signal, uint reason, ulong faultAddress)
    {
        ExitCode = (int)exitCode;
        Signal = signal == 0 ? null : (int)signal;
        FaultAddress = faultAddress;
        IsAtCheckpoint = reason == AtCheckpoint;
        End = (reason, signal) switch
        {
            (1, _) => ProgramEnd.MemoryLimit,
            (2, _) => ProgramEnd.OutputLimit,
            (Deadlock, _) => ProgramEnd.Deadlock,
            (SystemCallLimit, _) => ProgramEnd.SystemCallLimit,
            (_, 0) => ProgramEnd.Exited,
            _ => ProgramEnd.Signaled,
        };
    }

    /// <summary>The program has not ended: it waits at its checkpoint, and nothing but the system calls is known.</summary>
    public bool IsAtCheckpoint { get; }

    public ProgramEnd End { get; }

    public int ExitCode { get; }

    public int? Signal { get; }

    public ulong FaultAddress { get; }

    /// <summary>How many system calls the program made.</summary>
    public long SystemCalls { get; private init; }

    public IReadOnlyList<UnsupportedSystemCall> UnsupportedSystemCalls { get; private init; } = [];

    /// <exception cref="GuestProtocolException">The bytes are not a report.</exception>
    public static ProgramReport Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderSize)
        {
            throw Malformed($"it has {bytes.Length} bytes");
        }

        uint exitCode = Word(bytes, 0);
        uint signal = Word(bytes, 4);
        uint reason = Word(bytes, 8);
        uint count = Word(bytes, 12);
        long systemCalls = BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]);
        if (systemCalls < 0 || exitCode > byte.MaxValue || signal > HighestSignal || reason > HighestReason || count > MaximumEntries
            || bytes.Length != HeaderSize + ((int)count * EntrySize))
        {
            throw Malformed($"code {exitCode}, signal {signal}, reason {reason}, {count} entries in {bytes.Length} bytes");
        }

        var calls = new UnsupportedSystemCall[count];
        for (int i = 0; i < calls.Length; i++)
        {
            ReadOnlySpan<byte> entry = bytes.Slice(HeaderSize + (i * EntrySize), EntrySize);
            calls[i] = new UnsupportedSystemCall(Name(entry[NameOffset..]), Word(entry, 4));
        }

        return new ProgramReport(exitCode, signal, reason, BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]))
        {
            SystemCalls = systemCalls,
            UnsupportedSystemCalls = calls,
        };
    }

    private static string Name(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        ReadOnlySpan<byte> name = end < 0 ? field : field[..end];
        if (name.IsEmpty)
        {
            return "unknown";
        }

        foreach (byte character in name)
        {
            if (!char.IsAsciiLetterLower((char)character) && !char.IsAsciiDigit((char)character) && character != '_')
            {
                throw Malformed("the name of a system call has other characters than letters, digits and '_'");
            }
        }

        return Encoding.ASCII.GetString(name);
    }

    private static uint Word(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    private static GuestProtocolException Malformed(string problem) =>
        new($"The kernel of a program returned a malformed report: {problem}.");
}
