using Hyperlight.Tests.Emulator.Differential;
using Hyperlight.Tests.Machine;

namespace Hyperlight.Tests.Emulator.Strings;

/// <summary>
/// Repeated string instructions that execute many elements at once do what they do element by element: at every stop and at the
/// end, registers, memory, the pages that count as written, faults and the number of instructions are the same.
/// </summary>
[TestFixture]
internal sealed class StringBlockTests
{
    private const int NormalCases = 3_000;
    private const int LongCases = 1_000_000;

    private static readonly byte[] Opcodes =
        [StringCase.Movs, StringCase.Stos, StringCase.Lods, StringCase.Cmps, StringCase.Scas];

    private StringMachine _one = null!;
    private StringMachine _many = null!;

    [SetUp]
    public void Create()
    {
        _one = new StringMachine(joins: false);
        _many = new StringMachine(joins: true);
    }

    [TearDown]
    public void Destroy()
    {
        _one.Dispose();
        _many.Dispose();
    }

    [Test]
    public void Random_instructions_do_the_same()
    {
        ulong seed = TestSettings.ChooseSeed(out bool isReplay);
        long cases = TestSettings.Count ?? (isReplay ? 1 : TestSettings.IsLong ? LongCases : NormalCases);
        for (long i = 0; i < cases; i++)
        {
            ulong caseSeed = seed + (ulong)i;
            AssertSame(StringCase.Random(new RandomSource(caseSeed)), $"replay with {TestSettings.SeedVariable}={caseSeed}");
        }

        TestContext.Out.WriteLine($"{cases} cases");
    }

    [Test]
    public void Moves_that_overlap_do_the_same_at_every_distance(
        [Values(1, 2, 4, 8)] int size, [Values] bool backwards, [Values] bool isMirrored)
    {
        const ulong at = StringCase.Window + 0x800;
        for (int distance = -40; distance <= 40; distance++)
        {
            AssertSame(
                new StringCase
                {
                    Opcode = StringCase.Movs,
                    Size = size,
                    Backwards = backwards,
                    Rsi = at,
                    Rdi = (isMirrored ? at ^ (StringCase.Window ^ StringCase.Mirror) : at) + (ulong)distance,
                    Rcx = 100,
                },
                $"distance {distance}");
        }
    }

    [Test]
    public void A_fault_comes_at_the_same_element(
        [ValueSource(nameof(Opcodes))] byte opcode,
        [Values(1, 2, 4, 8)] int size,
        [Values] bool backwards,
        [Values(StringCase.Absent, StringCase.ReadOnly, StringCase.Device)] ulong kind)
    {
        // The page in the middle is the one that faults. Both operands reach it, one of them first.
        const int page = 3;
        ulong edge = StringCase.Window + ((ulong)(backwards ? page + 1 : page) << 12);
        ulong entry = kind switch
        {
            StringCase.ReadOnly => StringCase.PageOf(page, StringCase.ReadOnly),
            StringCase.Device => StringCase.Device | StringCase.Writable,
            _ => StringCase.Absent,
        };
        for (int before = 0; before < 24; before++)
        {
            ulong way = backwards ? 0 - (ulong)before : (ulong)before;
            ulong other = StringCase.Window + 0x1800;
            foreach ((ulong source, ulong destination) in new[] { (edge - way, other), (other, edge - way) })
            {
                AssertSame(
                    new StringCase
                    {
                        Opcode = opcode,
                        Size = size,
                        Backwards = backwards,
                        Rsi = source,
                        Rdi = destination,
                        Rcx = 40,
                        Rarity = 3000,
                        Entries = [.. Enumerable.Range(0, StringCase.WindowPages)
                            .Select(i => i == page ? entry : StringCase.PageOf(i, StringCase.Writable))],
                    },
                    $"{before} bytes before, source 0x{source:X}");
            }
        }
    }

    [Test]
    public void An_instruction_that_overwrites_itself_goes_on_with_the_new_code([Values(1, 2, 4, 8)] int size, [Values] bool backwards)
    {
        for (int before = -80; before <= 80; before++)
        {
            AssertSame(
                new StringCase
                {
                    Opcode = StringCase.Stos,
                    Size = size,
                    Backwards = backwards,
                    Rsi = 0,
                    Rdi = SystemGuest.KernelCode + 8 - (ulong)before,
                    Rcx = 64,
                    Rax = 0xF4F4_F4F4_F4F4_F4F4,
                },
                $"{before} bytes before");
        }
    }

    [Test]
    public void A_source_whose_32_bit_address_wraps_inside_a_page_goes_on_at_the_segment_base([Values] bool backwards)
    {
        const ulong middle = StringCase.Window + 0x1800;
        for (uint before = 0; before < 24; before++)
        {
            // The address after 0xFFFFFFFF, or before 0, is 4 GiB away.
            ulong rsi = backwards ? before : uint.MaxValue - before;
            AssertSame(
                new StringCase
                {
                    Opcode = StringCase.Movs,
                    Size = 1,
                    Backwards = backwards,
                    Address32 = true,
                    SourceBase = middle - rsi,
                    Rsi = rsi,
                    Rdi = StringCase.Window + 0x4800,
                    Rcx = 40,
                },
                $"{before} bytes before");
        }
    }

    private void AssertSame(StringCase value, string context)
    {
        List<string> expected = _one.Run(value);
        List<string> actual = _many.Run(value);
        string name = $"{context}: {value}";
        Assert.That(actual, Is.EqualTo(expected), name);
        Assert.That(_many.Memory.AsSpan().SequenceEqual(_one.Memory), name);
        Assert.That(_many.Unwritten.AsSpan().SequenceEqual(_one.Unwritten), $"pages that count as written, {name}");
    }
}
