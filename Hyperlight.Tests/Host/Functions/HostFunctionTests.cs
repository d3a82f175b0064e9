using Hyperlight.Tests.Host.Sandboxes;

namespace Hyperlight.Tests.Host.Functions;

/// <summary>Delegates as host functions: their signatures, and what is refused when they are registered.</summary>
[TestFixture]
internal sealed class HostFunctionTests
{
    [Test]
    public void The_signature_is_that_of_the_delegate()
    {
        var target = new Registrar();
        target
            .WithHostFunction("a", () => { })
            .WithHostFunction("b", (int x, uint y, long z, ulong w) => 1.5f)
            .WithHostFunction("c", (double x, bool y, string z, byte[] w) => "text")
            .WithHostFunction("d", (ReadOnlyMemory<byte> x) => new byte[1])
            .WithHostFunction<Registrar, ReadOnlySpan<byte>, bool>("e", x => x.IsEmpty)
            .WithHostFunction("f", (int a, int b, int c, int d, int e, int f, int g, int h, int i, int j) => 1L);

        Assert.That(target.Functions.Select(f => f.ToString()), Is.EqualTo(new[]
        {
            "Void a()",
            "Float b(Int, UInt, Long, ULong)",
            "String c(Double, Bool, String, Bytes)",
            "Bytes d(Bytes)",
            "Bool e(Bytes)",
            "Long f(Int, Int, Int, Int, Int, Int, Int, Int, Int, Int)",
        }));
    }

    [Test]
    public void A_type_that_the_abi_does_not_have_is_refused_at_registration()
    {
        var target = new Registrar();

        Assert.That(() => target.WithHostFunction("f", (DateTime x) => 1), Throws.TypeOf<NotSupportedException>().With.Message.Contains("DateTime"));
        Assert.That(() => target.WithHostFunction("f", () => 'c'), Throws.TypeOf<NotSupportedException>().With.Message.Contains("Char"));
        Assert.That(target.Functions, Is.Empty);
    }

    [Test]
    public void A_name_is_needed()
    {
        Assert.That(() => new Registrar().WithHostFunction("", () => 1), Throws.ArgumentException);
        Assert.That(() => new Registrar().WithHostFunction("a\uD800", () => 1), Throws.ArgumentException.With.Message.Contains("not valid Unicode"));
        Assert.That(() => new Registrar().WithHostFunction(null!, () => 1), Throws.ArgumentNullException);
        Assert.That(() => new Registrar().WithHostFunction("f", (Func<int>)null!), Throws.ArgumentNullException);
        Assert.That(() => new Registrar().WithHostFunction("f", (Action)null!), Throws.ArgumentNullException);
    }

    [Test]
    public void Sandboxes_of_a_builder_have_separate_function_tables()
    {
        var guest = new ScriptedMachine();
        SandboxBuilder builder = guest.Builder();
        using UninitializedSandbox first = builder.BuildUninitialized();
        using UninitializedSandbox second = builder.BuildUninitialized();

        Assert.That(first.WithHostFunction("f", () => 1), Is.SameAs(first));
        Assert.That(second.WithHostFunction("f", () => 2), Is.SameAs(second));
    }

    [Test]
    public void A_second_function_of_a_name_is_refused_until_the_first_is_removed()
    {
        var guest = new ScriptedMachine();
        SandboxBuilder builder = guest.Builder().WithHostFunction("f", () => 1);
        AssertReplacedOnPurpose(builder);
        using UninitializedSandbox uninitialized = builder.BuildUninitialized();
        AssertReplacedOnPurpose(uninitialized);
        guest.Initialise();
        using MultiUseSandbox sandbox = uninitialized.Evolve();
        AssertReplacedOnPurpose(sandbox);
        sandbox.Dispose();
        Assert.That(() => sandbox.RemoveHostFunction("f"), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => uninitialized.RemoveHostFunction("f"), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void The_print_function_that_every_sandbox_has_can_be_replaced_once()
    {
        var guest = new ScriptedMachine();
        SandboxBuilder builder = guest.Builder().WithPrint(_ => { }).WithPrint(_ => { });
        using UninitializedSandbox sandbox = builder.BuildUninitialized();
        sandbox.WithHostFunction("HostPrint", (string text) => 0);
        builder.WithHostFunction("HostPrint", (string text) => 0);
        using UninitializedSandbox another = builder.BuildUninitialized();

        Assert.That(() => sandbox.WithHostFunction("HostPrint", (string text) => 0), Throws.ArgumentException);
        Assert.That(() => builder.WithHostFunction("HostPrint", (string text) => 0), Throws.ArgumentException);
        Assert.That(() => another.WithHostFunction("HostPrint", (string text) => 0), Throws.ArgumentException);
    }

    private static void AssertReplacedOnPurpose<TTarget>(TTarget target)
        where TTarget : IHostFunctionRegistrar
    {
        Assert.That(
            () => target.WithHostFunction("f", (int x) => 2L),
            Throws.ArgumentException.With.Message.Contains("'f' is already registered as Int f()").And.Message.Contains("RemoveHostFunction"));
        Assert.That(target.RemoveHostFunction("f"), Is.True);
        Assert.That(target.RemoveHostFunction("f"), Is.False);
        target.WithHostFunction("f", () => 1);
    }
}
