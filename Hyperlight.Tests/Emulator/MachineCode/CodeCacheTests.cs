using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>What the cache of compiled code counts, and when it asks machines to give their code up.</summary>
[TestFixture]
internal sealed class CodeCacheTests
{
    private const int CodeSize = 1000;
    private const int MostBytes = 10 * CodeSize;

    private readonly Compiler _compiler = new();
    private readonly Holder _other = new();
    private CodeCache _cache = null!;

    [SetUp]
    public void Create()
    {
        _compiler.Compiles = static () => new Code();
        _compiler.IsTooLarge = false;
        _cache = new CodeCache(MostBytes, _compiler);
        _cache.Holders.Add(_other);
        _other.Asked.Reset();
    }

    [OneTimeTearDown]
    public void Free() => _other.Dispose();

    [Test]
    public void Code_is_counted_once_for_all_who_use_it()
    {
        RegionCode? first = Get(1);
        RegionCode? again = Get(1);
        Get(2);

        Assert.That(again, Is.SameAs(first).And.Not.Null);
        Assert.That(_cache.Size, Is.EqualTo(2 * CodeSize));
    }

    [Test]
    public void It_starts_over_before_there_is_more_than_the_most()
    {
        for (ulong i = 1; i <= 25; i++)
        {
            Get(i);
            Assert.That(_cache.Size, Is.LessThanOrEqualTo(MostBytes));
        }

        Assert.That(_cache.Size, Is.EqualTo(5 * CodeSize));
    }

    [Test]
    public void What_there_is_no_memory_for_is_not_counted_and_others_are_asked()
    {
        _compiler.Compiles = static () => null;

        Assert.That(Get(1), Is.Null);
        Assert.That(Get(2), Is.Null, "others were asked a moment ago");

        Assert.That(_cache.Size, Is.Zero);
        Assert.That(_other.Asked.Wait(TimeSpan.FromSeconds(30)), Is.True);
    }

    /// <summary>Memory that others give up would not help.</summary>
    [Test]
    public void For_what_is_too_large_nobody_is_asked()
    {
        Get(1);
        RegionCode? kept = Get(2);
        _compiler.Compiles = static () => null;
        _compiler.IsTooLarge = true;

        Assert.That(Get(3, out bool isTooLarge), Is.Null);

        Assert.That(isTooLarge, Is.True);
        Assert.That(_cache.Size, Is.EqualTo(2 * CodeSize));
        Assert.That(Get(2), Is.SameAs(kept));
        _compiler.IsTooLarge = false;
        Assert.That(_cache.Holders.AskOthers(new Holder()), Is.True, "nobody was asked before");
    }

    [Test]
    public void What_fails_to_compile_is_not_counted()
    {
        _compiler.Compiles = static () => throw new InvalidOperationException("The code is not isolated.");

        Assert.That(() => Get(1), Throws.InvalidOperationException);
        Assert.That(_cache.Size, Is.Zero);
    }

    [Test]
    public void Code_that_two_threads_compile_is_counted_once()
    {
        RegionCode? inner = null;
        _compiler.Compiles = () =>
        {
            _compiler.Compiles = static () => new Code();
            inner = Get(1);
            return new Code();
        };

        Assert.That(Get(1), Is.SameAs(inner));
        Assert.That(_cache.Size, Is.EqualTo(CodeSize));
    }

    private RegionCode? Get(ulong rip) => Get(rip, out _);

    private RegionCode? Get(ulong rip, out bool isTooLarge)
    {
        var block = new Block(default, new DecodedCode(rip, [0xC3], new MicroOp[1]));
        return _cache.GetOrCompile([new RegionNode(block)], isUser: false, new Holder(), out isTooLarge);
    }

    private sealed class Compiler : IRegionCompiler
    {
        public Func<RegionCode?> Compiles { get; set; } = static () => null;

        public bool IsTooLarge { get; set; }

        public int HotThreshold => 1;

        public bool UsesPages => false;

        public RegionCode? Compile(List<RegionNode> nodes, bool isUser, out bool isTooLarge)
        {
            isTooLarge = IsTooLarge;
            return Compiles();
        }

        public void Clear()
        {
            // It keeps nothing.
        }
    }

    private sealed class Code() : RegionCode(CodeSize)
    {
        public override RegionExit Run(RegionRunner runner, Region region, int entry) =>
            throw new InvalidOperationException("The code is not executed.");
    }

    private sealed class Holder : ICodeHolder, IDisposable
    {
        public ManualResetEventSlim Asked { get; } = new();

        public void ReleaseCode() => Asked.Set();

        public void Dispose() => Asked.Dispose();
    }
}
