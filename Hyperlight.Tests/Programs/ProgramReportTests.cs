using System.Buffers.Binary;
using System.Text;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs;

/// <summary>What the kernel of a program returns is not trusted.</summary>
[TestFixture]
internal sealed class ProgramReportTests
{
    private const int HeaderSize = 32;
    private const int EntrySize = 32;

    [Test]
    public void A_report_has_the_end_and_the_calls_that_are_missing()
    {
        ProgramReport report = ProgramReport.Parse(Report(0, 11, 0, ("openat", 3), ("", 1)));

        Assert.That((report.End, report.Signal, report.FaultAddress), Is.EqualTo((ProgramEnd.Signaled, 11, 0x1234UL)));
        Assert.That(report.UnsupportedSystemCalls, Is.EqualTo(new UnsupportedSystemCall[] { new("openat", 3), new("unknown", 1) }));
    }

    [TestCase(5, 0, 0, ProgramEnd.Exited)]
    [TestCase(0, 9, 1, ProgramEnd.MemoryLimit)]
    [TestCase(0, 9, 2, ProgramEnd.OutputLimit)]
    [TestCase(0, 9, 3, ProgramEnd.Deadlock)]
    [TestCase(0, 9, 5, ProgramEnd.SystemCallLimit)]
    public void A_report_says_why_the_program_ended(int code, int signal, int reason, ProgramEnd end) =>
        Assert.That(ProgramReport.Parse(Report(code, signal, reason)).End, Is.EqualTo(end));

    [Test]
    public void A_report_says_that_the_program_is_at_its_checkpoint([Values(0, 4)] int reason) =>
        Assert.That(ProgramReport.Parse(Report(0, 0, reason)).IsAtCheckpoint, Is.EqualTo(reason == 4));

    [TestCase(256, 0, 0)]
    [TestCase(-1, 0, 0)]
    [TestCase(0, 65, 0)]
    [TestCase(0, 0, 6)]
    public void Values_out_of_range_are_refused(int code, int signal, int reason) =>
        Assert.That(() => ProgramReport.Parse(Report(code, signal, reason)), Throws.TypeOf<GuestProtocolException>());

    [Test]
    public void A_report_has_the_number_of_system_calls([Values(0, 1, long.MaxValue, -1)] long count)
    {
        byte[] report = Report(0, 0, 0);
        BinaryPrimitives.WriteInt64LittleEndian(report.AsSpan(24), count);

        Assert.That(() => ProgramReport.Parse(report).SystemCalls, count < 0 ? Throws.TypeOf<GuestProtocolException>() : Is.EqualTo(count));
    }

    [Test]
    public void A_report_of_another_size_is_refused()
    {
        byte[] report = Report(0, 0, 0, ("openat", 3));
        for (int size = 0; size < report.Length; size++)
        {
            Assert.That(() => ProgramReport.Parse(report.AsSpan(0, size)), Throws.TypeOf<GuestProtocolException>());
        }

        Assert.That(() => ProgramReport.Parse([.. report, 0]), Throws.TypeOf<GuestProtocolException>());
    }

    [Test]
    public void A_number_of_entries_that_is_too_large_is_refused([Values(401, int.MaxValue, -1)] int count)
    {
        byte[] report = Report(0, 0, 0);
        BinaryPrimitives.WriteInt32LittleEndian(report.AsSpan(12), count);

        Assert.That(() => ProgramReport.Parse(report), Throws.TypeOf<GuestProtocolException>());
    }

    [Test]
    public void A_name_of_other_characters_is_refused() =>
        Assert.That(() => ProgramReport.Parse(Report(0, 0, 0, ("open\u001B[2J", 1))), Throws.TypeOf<GuestProtocolException>());

    private static byte[] Report(int code, int signal, int reason, params (string Name, int Count)[] calls)
    {
        var report = new byte[HeaderSize + (calls.Length * EntrySize)];
        BinaryPrimitives.WriteInt32LittleEndian(report, code);
        BinaryPrimitives.WriteInt32LittleEndian(report.AsSpan(4), signal);
        BinaryPrimitives.WriteInt32LittleEndian(report.AsSpan(8), reason);
        BinaryPrimitives.WriteInt32LittleEndian(report.AsSpan(12), calls.Length);
        BinaryPrimitives.WriteInt64LittleEndian(report.AsSpan(16), 0x1234);
        for (int i = 0; i < calls.Length; i++)
        {
            Span<byte> entry = report.AsSpan(HeaderSize + (i * EntrySize), EntrySize);
            BinaryPrimitives.WriteInt32LittleEndian(entry[4..], calls[i].Count);
            Encoding.ASCII.GetBytes(calls[i].Name, entry[8..]);
        }

        return report;
    }
}
