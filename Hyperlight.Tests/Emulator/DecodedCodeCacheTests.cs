using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Tests.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>Decoded code that machines share is only found where the same bytes would be decoded to it.</summary>
[TestFixture]
internal sealed class DecodedCodeCacheTests
{
    private const ulong Address = 0x40_1000;
    private const byte Return = 0xC3;
    private const byte Nop = 0x90;

    private static readonly byte[] Page = [Nop, Nop, Return, .. Enumerable.Repeat((byte)0xCC, 61)];

    private readonly DecodedCode _code = new(Address, Page[..3], new MicroOp[3]);
    private DecodedCodeShare _share;

    [SetUp]
    public void Forget() => _share = default;

    [Test]
    public void Code_is_found_by_its_address_and_its_bytes()
    {
        DecodedCodeCache cache = Filled();

        Assert.That(cache.Find(Address, Page, hasSeed: false), Is.SameAs(_code));
        Assert.That(cache.Find(Address, Page.AsSpan(0, 20), hasSeed: false), Is.SameAs(_code), "the page can end elsewhere");
    }

    [Test]
    public void Code_is_not_found_at_another_address_or_for_the_other_kind_of_machine()
    {
        DecodedCodeCache cache = Filled();

        Assert.That(cache.Find(Address + 0x1000, Page, hasSeed: false), Is.Null);
        Assert.That(cache.Find(Address, Page, hasSeed: true), Is.Null);
    }

    [Test]
    public void Code_is_not_found_if_one_of_its_bytes_differs([Range(0, 39)] int changed)
    {
        var code = new DecodedCode(Address, Page[..40], new MicroOp[1]);
        var cache = new DecodedCodeCache(1 << 20);
        cache.Add(code, Page, hasSeed: false, ref _share);
        byte[] other = [.. Page];
        other[changed] ^= 1;

        Assert.That(cache.Find(Address, other, hasSeed: false), Is.Null);
        Assert.That(cache.Find(Address, Page, hasSeed: false), Is.SameAs(code));
    }

    /// <summary>The key has as many bytes as there are.</summary>
    [Test]
    public void Code_at_the_end_of_a_page_is_found_there([Range(1, 17)] int left)
    {
        byte[] bytes = [.. Enumerable.Repeat(Nop, left)];
        var code = new DecodedCode(Address, bytes, new MicroOp[left]);
        var cache = new DecodedCodeCache(1 << 20);
        cache.Add(code, bytes, hasSeed: false, ref _share);

        Assert.That(cache.Find(Address, bytes, hasSeed: false), Is.SameAs(code));
        Assert.That(cache.Find(Address, bytes.AsSpan(0, left - 1), hasSeed: false), Is.Null, "one byte less is there");
    }

    [Test]
    public void A_machine_adds_a_quarter_until_it_starts_over()
    {
        const int Most = 10_000;
        var cache = new DecodedCodeCache(Most);
        for (ulong i = 0; i < 1000; i++)
        {
            cache.Add(new DecodedCode(i, [Return], new MicroOp[1]), [Return], hasSeed: false, ref _share);
        }

        Assert.That(cache.Size, Is.GreaterThan(Most / 5).And.LessThanOrEqualTo(Most / 4));
        Assert.That(cache.Find(0, [Return], hasSeed: false), Is.Not.Null, "it has not started over");

        // Others use the rest up. After that, the machine begins again.
        for (ulong i = 1000; i < 2000; i++)
        {
            DecodedCodeShare other = default;
            cache.Add(new DecodedCode(i, [Return], new MicroOp[1]), [Return], hasSeed: false, ref other);
        }

        Assert.That(cache.Find(0, [Return], hasSeed: false), Is.Null, "it has started over");
        cache.Add(new DecodedCode(0, [Return], new MicroOp[1]), [Return], hasSeed: false, ref _share);
        Assert.That(cache.Find(0, [Return], hasSeed: false), Is.Not.Null);
    }

    [Test]
    public void It_starts_over_before_there_is_more_than_the_most()
    {
        const int Most = 10_000;
        var cache = new DecodedCodeCache(Most);
        long largest = 0;
        for (ulong i = 0; i < 1000; i++)
        {
            DecodedCodeShare share = default;
            cache.Add(new DecodedCode(i, [Return], new MicroOp[1]), [Return], hasSeed: false, ref share);
            Assert.That(cache.Find(i, [Return], hasSeed: false), Is.Not.Null);
            Assert.That(cache.Size, Is.LessThanOrEqualTo(Most));
            largest = Math.Max(largest, cache.Size);
        }

        Assert.That(largest, Is.GreaterThan(Most / 2));
        Assert.That(cache.Find(0, [Return], hasSeed: false), Is.Null);
    }

    [Test]
    public void A_second_machine_decodes_nothing_again_and_does_the_same()
    {
        var hypervisor = new EmulatorHypervisor(new EmulatorOptions { TranslateHotCode = false });
        GeneralRegisters first = Run(hypervisor, 5);
        long size = hypervisor.SharedDecodedSize;

        GeneralRegisters second = Run(hypervisor, 5);

        Assert.That(size, Is.Positive);
        Assert.That(hypervisor.SharedDecodedSize, Is.EqualTo(size));
        Assert.That(second, Is.EqualTo(first));

        GeneralRegisters other = Run(hypervisor, 6);
        Assert.That(hypervisor.SharedDecodedSize, Is.GreaterThan(size), "other code is decoded");
        Assert.That(other.Rax, Is.EqualTo(6 * first.Rax / 5));
    }

    private DecodedCodeCache Filled()
    {
        var cache = new DecodedCodeCache(1 << 20);
        cache.Add(_code, Page, hasSeed: false, ref _share);
        return cache;
    }

    private static GeneralRegisters Run(EmulatorHypervisor hypervisor, int factor)
    {
        using var guest = new LongModeGuest(hypervisor, c =>
        {
            Iced.Intel.Label again = c.CreateLabel();
            c.mov(ecx, 100);
            c.xor(eax, eax);
            c.Label(ref again);
            c.add(eax, factor);
            c.dec(ecx);
            c.jnz(again);
            c.hlt();
        });
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        return guest.Machine.GetGeneralRegisters();
    }
}
