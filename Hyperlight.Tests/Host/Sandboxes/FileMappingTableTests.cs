using System.Buffers.Binary;
using System.Text;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>The optional table behind the process environment block.</summary>
[TestFixture]
internal sealed class FileMappingTableTests
{
    private const ulong Address = 0x1000_0000;
    private const uint FileSize = ScriptedMachine.FileSize;

    // The code of the scripted guest is one page; the block is in the next.
    private const ulong PebAddress = 0x2000;
    private const int BlockSize = 0x40;

    private ScriptedMachine _guest = null!;

    [SetUp]
    public void CreateGuest() => _guest = new ScriptedMachine();

    [Test]
    public void Without_the_option_the_page_has_only_the_environment_block()
    {
        using UninitializedSandbox sandbox = _guest.Initialise().Builder().BuildUninitialized();
        sandbox.MapFile("/a", Address);
        using MultiUseSandbox running = sandbox.Evolve();
        running.MapFile("/b", Address + FileSize);

        Assert.That(PebPage()[BlockSize..], Is.All.Zero);
    }

    [Test]
    public void The_block_and_the_layout_are_the_same_with_the_table()
    {
        byte[] without = BlockOf(new SandboxConfiguration());
        byte[] with = BlockOf(new SandboxConfiguration { FileMappingTable = true });

        Assert.That(with, Is.EqualTo(without));
    }

    [Test]
    public void An_empty_table_says_so()
    {
        using MultiUseSandbox sandbox = Build();

        Assert.That(Word(0x40), Is.Zero);
        Assert.That(Word(0x48), Is.EqualTo(PebAddress + 0x50));
    }

    [Test]
    public void The_guest_sees_pending_files_from_its_first_instruction_on()
    {
        using UninitializedSandbox sandbox = TableBuilder().BuildUninitialized();
        sandbox.MapFile("/a", Address);
        ulong count = 0;
        _guest.Initialise(look: () => count = Word(0x40));

        using MultiUseSandbox running = sandbox.Evolve();

        Assert.That(count, Is.EqualTo(1));
        Assert.That(Entry(0), Is.EqualTo((Address, (ulong)FileSize, "a")));
    }

    [Test]
    public void The_table_follows_mapping_and_unmapping()
    {
        using MultiUseSandbox sandbox = Build();
        string longest = new('é', 31);
        sandbox.MapFile("/a", Address, longest + "x");
        sandbox.MapFile("/b", Address + FileSize);

        Assert.That(Word(0x40), Is.EqualTo(2));
        Assert.That(Entry(0), Is.EqualTo((Address, (ulong)FileSize, longest + "x")));
        Assert.That(Entry(1), Is.EqualTo((Address + FileSize, (ulong)FileSize, "b")));

        sandbox.UnmapFile(Address);

        Assert.That(Word(0x40), Is.EqualTo(1));
        Assert.That(Entry(0), Is.EqualTo((Address + FileSize, (ulong)FileSize, "b")));
        Assert.That(PebPage()[(0x50 + 80)..], Is.All.Zero, "nothing is left of the other entry");
    }

    [Test]
    public void Thirty_two_files_fit_and_one_more_is_a_typed_error()
    {
        using MultiUseSandbox sandbox = Build();
        for (uint i = 0; i < SandboxConfiguration.MaximumFileMappings; i++)
        {
            sandbox.MapFile("/" + i, Address + (i * FileSize));
        }

        Assert.That(
            () => sandbox.MapFile("/more", 0x2000_0000), Throws.TypeOf<MappingLimitException>().With.Property("Limit").EqualTo(32));

        Assert.That(Entry(31).Label, Is.EqualTo("31"));
        sandbox.UnmapFile(Address);
        Assert.That(() => sandbox.MapFile("/more", 0x2000_0000), Throws.Nothing);
    }

    [Test]
    public void Pending_files_are_counted_too()
    {
        using UninitializedSandbox sandbox = TableBuilder().BuildUninitialized();
        for (uint i = 0; i < SandboxConfiguration.MaximumFileMappings; i++)
        {
            sandbox.MapFile("/" + i, Address + (i * FileSize));
        }

        Assert.That(() => sandbox.MapFile("/more", 0x2000_0000), Throws.TypeOf<MappingLimitException>());
    }

    [Test]
    public void Without_the_table_there_is_no_such_limit()
    {
        using UninitializedSandbox sandbox = _guest.Builder().BuildUninitialized();

        Assert.That(
            () =>
            {
                for (uint i = 0; i < 100; i++)
                {
                    sandbox.MapFile("/" + i, Address + (i * FileSize));
                }
            },
            Throws.Nothing);
    }

    [Test]
    public void Host_memory_is_not_in_the_table()
    {
        using MultiUseSandbox sandbox = Build();

        sandbox.MapRegion(_guest.Regions[0], Address);

        Assert.That(Word(0x40), Is.Zero);
    }

    private static byte[] BlockOf(SandboxConfiguration configuration)
    {
        var guest = new ScriptedMachine();
        using MultiUseSandbox sandbox = guest.Initialise().Builder().WithConfiguration(configuration).Build();
        return Read(guest, 0x1000, BlockSize);
    }

    private SandboxBuilder TableBuilder() =>
        _guest.Builder().WithConfiguration(new SandboxConfiguration { FileMappingTable = true });

    private MultiUseSandbox Build()
    {
        _guest.Initialise();
        return TableBuilder().Build();
    }

    private byte[] PebPage() => Read(_guest, PebAddress - 0x1000, 0x1000);

    private static byte[] Read(ScriptedMachine guest, ulong offset, int length)
    {
        var bytes = new byte[length];
        guest.Mappings[0].Region.Read((nuint)offset, bytes);
        return bytes;
    }

    private ulong Word(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(PebPage().AsSpan(offset));

    private (ulong Address, ulong Size, string Label) Entry(int index)
    {
        int offset = 0x50 + (80 * index);
        ReadOnlySpan<byte> label = PebPage().AsSpan(offset + 16, 64);
        return (Word(offset), Word(offset + 8), Encoding.UTF8.GetString(label[..label.IndexOf((byte)0)]));
    }
}
