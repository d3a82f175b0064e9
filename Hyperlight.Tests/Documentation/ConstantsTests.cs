using System.Globalization;
using System.Text.RegularExpressions;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Snapshots.Files;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Documentation;

/// <summary>Numbers and names in the other tables of the documentation are those of the code.</summary>
[TestFixture]
internal sealed class ConstantsTests
{
    [Test]
    public void The_table_of_file_mappings_has_the_stated_offsets()
    {
        var page = new MarkdownPage("docs/memory.md");
        string[][] rows = [.. page.Rows.Where(row => row[0].StartsWith("0x", StringComparison.Ordinal))];

        Assert.That(rows.Select(row => Hex(row[0])), Is.EqualTo(new[]
        {
            FileMappingTable.DescriptorOffset, FileMappingTable.DescriptorOffset + 8, FileMappingTable.EntriesOffset,
        }));
        Assert.That(rows[1][1], Does.EndWith($"offset {rows[2][0]}"));
        Assert.That(rows[2][1], Does.Contain($" {FileMappingTable.EntrySize} bytes each"));
        Assert.That(Regex.Matches(rows[2][1], @"\((\d+)\)").Sum(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)), Is.EqualTo(FileMappingTable.EntrySize));
        Assert.That(page.Prose, Does.Contain($"up to {SandboxConfiguration.MaximumFileMappings} entries"));
        Assert.That(page.Prose, Does.Contain($"at most {MappingLabel.MaxBytes} bytes of UTF-8"));
    }

    [Test]
    public void The_registers_of_the_default_policy_are_the_stated_ones()
    {
        string[][] rows = [.. new MarkdownPage("docs/processor.md").Rows.Where(row => row[0].StartsWith("read", StringComparison.Ordinal))];

        Assert.That(rows.Select(row => row[0]), Is.EqualTo(new[] { "read and write", "read only" }));
        Assert.That(Registers(rows[0][1]), Is.EqualTo(MsrPolicy.Default.Writable));
        Assert.That(Registers(rows[1][1]), Is.EqualTo(MsrPolicy.Default.Readable.Except(MsrPolicy.Default.Writable)));
        Assert.That(MsrPolicy.None.Readable, Is.Empty);

        // "0x174 to 0x176" is a range.
        static IEnumerable<uint> Registers(string text) => Regex.Matches(text, "(0x[0-9A-F]+)(?: to (0x[0-9A-F]+))?")
            .SelectMany(m => Enumerable.Range(0, 1 + (m.Groups[2].Success ? (int)(Hex(m.Groups[2].Value) - Hex(m.Groups[1].Value)) : 0))
                .Select(i => (uint)(Hex(m.Groups[1].Value) + i)))
            .Order();
    }

    [Test]
    public void Saved_snapshots_have_the_stated_types()
    {
        string page = new MarkdownPage("docs/snapshots.md").Prose;

        Assert.That(page, Does.Contain($"`{OciNames.ConfigMediaType}`, with `dotnet_format_version` {OciNames.FormatVersion}"));
        Assert.That(page, Does.Contain($"`{OciNames.MemoryMediaType}`"));
    }

    [Test]
    public void Scratch_memory_is_given_back_from_the_stated_size_on()
    {
        string page = new MarkdownPage("docs/snapshots.md").Prose;

        Assert.That(page, Does.Contain($"KVM, scratch memory below {LinuxMemoryRegion.DiscardThreshold >> 20} MiB"));
        Assert.That(page, Does.Contain($"the default {new SandboxConfiguration().ScratchSize >> 10} KiB"));
        Assert.That(new MarkdownPage("Hyperlight.Benchmarks/README.md").Prose,
            Does.Contain($"the default {new SandboxConfiguration().ScratchSize >> 10} KiB of scratch memory"));
    }

    [Test]
    public void The_modes_of_guests_have_the_stated_flags()
    {
        string makefiles = Read("guests/Makefile") + Read("guests/external.mk");
        string[][] rows = [.. new MarkdownPage("guests/README.md").Rows];

        Assert.That(makefiles, Does.Contain("MODE_general = " + rows.Single(r => r[0] == "`general`")[1].Trim('`') + "\n"));
        Assert.That(makefiles, Does.Contain("MODE_sse = -march=x86-64 -mfpmath=sse\n"));
        Assert.That(rows.Single(r => r[0] == "`sse`")[1], Does.Contain("x86-64 baseline"));
        Assert.That(rows.Single(r => r[0] == "`MODE`")[1], Does.StartWith("`general` (default)"));
        Assert.That(makefiles, Does.Contain("\nMODE = general\n"));
        Assert.That(rows.Single(r => r[0].StartsWith("`CC`", StringComparison.Ordinal))[1], Does.Contain("`gcc`, `g++`"));
        Assert.That(makefiles, Does.Contain("CC = gcc\n").And.Contain("CXX = g++\n"));
    }

    [Test]
    public void The_functions_of_the_test_guest_are_those_it_registers()
    {
        string sources = string.Concat(Directory.GetFiles(Path.Combine(Repository.Root, "guests", "testguest"), "*.c").Select(File.ReadAllText));
        string[] registered = [.. Regex.Matches(sources, "^    \\{ \"(\\w+)\", \\w+, \"\\w*\" \\},$", RegexOptions.Multiline).Select(m => m.Groups[1].Value)];
        string[] themes = ["Values", "Host calls", "Output", "Errors", "Faults", "Memory", "State", "Hostile", "Residue", "Mappings", "Registers", "Timer"];
        string[] stated = [.. new MarkdownPage("guests/README.md").Rows.Where(row => themes.Contains(row[0]))
            .SelectMany(row => Regex.Matches(row[1], @"`(\w+)\(")).Select(m => m.Groups[1].Value)];

        Assert.That(registered, Has.Length.GreaterThan(90));
        Assert.That(registered.Where(name => !name.StartsWith("RoundTrip", StringComparison.Ordinal)), Is.EquivalentTo(stated));
        Assert.That(registered.Count(name => name.StartsWith("RoundTrip", StringComparison.Ordinal)), Is.EqualTo(10), "nine types, and Void");
    }

    [Test]
    public void The_benchmarks_are_those_of_the_quick_mode()
    {
        string source = Read("Hyperlight.Benchmarks/Quick/QuickOptions.cs");

        Assert.That(new MarkdownPage("Hyperlight.Benchmarks/README.md").Prose, Does.Contain("(default 1, warm-up included)"));
        Assert.That(source, Does.Contain("Filter: \"\", TimeSpan.FromSeconds(1))"));
    }

    private static long Hex(string text) => long.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static string Read(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));
}
