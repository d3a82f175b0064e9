using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;
using Moq;

namespace Hyperlight.Tests.Host.Snapshots;

/// <summary>Restores that fail at each of their steps: the sandbox is poisoned, and the next restore makes it usable.</summary>
internal sealed class RestoreFailureTests
{
    private const ulong FirstAddress = 0x1000_0000;
    private const ulong SecondAddress = 0x2000_0000;
    private const uint ImageSlot = 0;
    private static readonly uint[] OwnSlots = [0, 1];

    private static readonly HypervisorException Failure = new("mock", "a step of the restore", 5, "EIO");

    /// <summary>Has a step fail, and returns what lets it succeed again.</summary>
    private static readonly Dictionary<string, Func<RestoreFailureTests, Action>> Steps = new()
    {
        ["unmapping the file mapped last"] = static test => test.FailUnmapping(3),
        ["unmapping the file mapped first"] = static test => test.FailUnmapping(2),
        ["unmapping the image"] = static test => test.FailUnmapping(ImageSlot),
        ["mapping the image"] = static test =>
        {
            test._guest.MapFailure = (ImageSlot, Failure);
            return () => test._guest.MapFailure = null;
        },
        ["clearing scratch memory"] = static test =>
        {
            test._scratch.ClearFailure = Failure;
            return () => test._scratch.ClearFailure = null;
        },
        ["discarding what is pending"] = static test => test.Fail(static m => m.DiscardPendingState()),
        ["setting debug registers"] = static test => test.Fail(static m => m.SetDebugRegisters(It.Ref<DebugRegisters>.IsAny)),
        ["setting XCR0"] = static test => test.Fail(static m => m.SetXcr0(It.IsAny<ulong>())),
        ["setting special registers"] = static test => test.Fail(static m => m.SetSpecialRegisters(It.Ref<SpecialRegisters>.IsAny)),
    };

    private ScriptedMachine _guest = null!;
    private StubbornRegion _scratch = null!;
    private MultiUseSandbox _sandbox = null!;
    private Snapshot _first = null!;
    private Snapshot _second = null!;

    private static IEnumerable<string> StepNames => Steps.Keys;

    /// <summary>A sandbox that runs on the second snapshot's image and has two files mapped.</summary>
    [SetUp]
    public void CreateSandbox()
    {
        _guest = new ScriptedMachine();
        _guest.Wrap = region => _scratch = new StubbornRegion(region);
        _sandbox = _guest.Build();
        _guest.Wrap = static region => region;
        _first = _sandbox.TakeSnapshot();
        Call();
        _second = _sandbox.TakeSnapshot();
        _sandbox.Restore(_second);
        _sandbox.MapFile("first", FirstAddress);
        _sandbox.MapFile("second", SecondAddress);
    }

    [TearDown]
    public void NothingIsLeft()
    {
        _first.Dispose();
        _second.Dispose();
        _sandbox.Dispose();
        Assert.That(_guest.AllReleased, Is.True);
    }

    [TestCaseSource(nameof(StepNames))]
    public void A_failed_restore_poisons_and_can_be_repeated(string step)
    {
        Action succeed = Steps[step](this);

        for (int attempt = 0; attempt < 2; attempt++)
        {
            Assert.That(() => _sandbox.Restore(_first), Throws.Exception.SameAs(Failure));
            AssertPoisoned();
        }

        succeed();
        _sandbox.Restore(_first);
        AssertRestored(_first);
    }

    [TestCaseSource(nameof(StepNames))]
    public void Another_snapshot_can_be_restored_instead(string step)
    {
        Action succeed = Steps[step](this);
        Assert.That(() => _sandbox.Restore(_first), Throws.Exception.SameAs(Failure));

        succeed();
        _first.Dispose();
        _sandbox.Restore(_second);

        AssertRestored(_second);
    }

    [TestCaseSource(nameof(StepNames))]
    public void The_sandbox_can_be_disposed_instead(string step)
    {
        Steps[step](this)();
        Steps[step](this);
        Assert.That(() => _sandbox.Restore(_first), Throws.Exception.SameAs(Failure));

        Assert.That(_sandbox.Dispose, Throws.Nothing);
    }

    /// <summary>What is mapped after a failure is what the sandbox says is mapped.</summary>
    [Test]
    public void Files_that_could_not_be_unmapped_stay_until_they_can()
    {
        Action succeed = FailUnmapping(2);

        Assert.That(() => _sandbox.Restore(_first), Throws.Exception.SameAs(Failure));

        Assert.That(_sandbox.Mappings.Select(m => m.Label), Is.EqualTo(new[] { "first" }), "the last one goes first");
        Assert.That(_guest.Mappings.Keys, Is.EquivalentTo(new uint[] { 0, 1, 2 }));
        succeed();
        _sandbox.Restore(_first);
        _sandbox.MapFile("again", FirstAddress);
        _sandbox.MapFile("and again", SecondAddress);
        Assert.That(_guest.Mappings.Keys, Is.EquivalentTo(new uint[] { 0, 1, 2, 3 }), "their slots are used again");
    }

    private void AssertPoisoned()
    {
        Assert.That(_sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
        Assert.That(() => _sandbox.Call<int>("f"), Throws.TypeOf<SandboxPoisonedException>().With.InnerException.SameAs(Failure));
        Assert.That(() => _sandbox.TakeSnapshot(), Throws.TypeOf<SandboxPoisonedException>());
        Assert.That(() => _sandbox.MapFile("third", 0x3000_0000), Throws.TypeOf<SandboxPoisonedException>());
    }

    private void AssertRestored(Snapshot snapshot)
    {
        Assert.That(_sandbox.Mappings, Is.Empty);
        Assert.That(_guest.Mappings.Keys, Is.EquivalentTo(OwnSlots));
        Assert.That(_guest.Mappings[ImageSlot].Region, Is.SameAs(snapshot.Content.Image.Pages));
        using (Snapshot unchanged = _sandbox.TakeSnapshot())
        {
            Assert.That(unchanged, Is.EqualTo(snapshot));
        }

        Call();
    }

    private void Call()
    {
        _guest.Answer(GoldenVectors.IntResult);
        Assert.That(_sandbox.Call<int>("f"), Is.EqualTo(3));
    }

    private Action Fail(System.Linq.Expressions.Expression<Action<IVirtualMachine>> call)
    {
        bool fails = true;
        _guest.Machine.Setup(call).Callback(() => ThrowIf(fails));
        return () => fails = false;
    }

    private Action FailUnmapping(uint slot)
    {
        _guest.UnmapFailure = (slot, Failure);
        return () => _guest.UnmapFailure = null;
    }

    private static void ThrowIf(bool fails)
    {
        if (fails)
        {
            throw Failure;
        }
    }
}
