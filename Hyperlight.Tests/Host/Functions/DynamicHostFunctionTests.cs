namespace Hyperlight.Tests.Host.Functions;

/// <summary>Host functions that are registered by a signature: what is refused, and what the signature is.</summary>
[TestFixture]
internal sealed class DynamicHostFunctionTests
{
    [Test]
    public void The_signature_is_the_one_given()
    {
        var target = new Registrar();
        GuestValueType[] all = [.. Enum.GetValues<GuestValueType>().Where(t => t != GuestValueType.Void)];
        target
            .WithHostFunction("a", [], GuestValueType.Void, _ => default)
            .WithHostFunction("b", all, GuestValueType.Bytes, arguments => arguments[^1])
            .WithHostFunction("c", [GuestValueType.Int], GuestValueType.Int, (arguments, token) => arguments[0]);

        Assert.That(target.Functions.Select(f => f.ToString()), Is.EqualTo(new[]
        {
            "Void a()",
            "Bytes b(Int, UInt, Long, ULong, Float, Double, Bool, String, Bytes)",
            "Int c(Int)",
        }));
        all[0] = GuestValueType.Bytes;
        Assert.That(target.Functions[1].ParameterTypes[0], Is.EqualTo(GuestValueType.Int), "the types are copied");
    }

    [Test]
    public void Types_that_cannot_be_are_refused()
    {
        var target = new Registrar();

        Assert.That(
            () => target.WithHostFunction("f", [GuestValueType.Int, GuestValueType.Void], GuestValueType.Int, _ => 1),
            Throws.ArgumentException.With.Message.Contains("'f'").And.Message.Contains("Void"));
        Assert.That(() => target.WithHostFunction("f", [(GuestValueType)77], GuestValueType.Int, _ => 1), Throws.ArgumentException.With.Message.Contains("77"));
        Assert.That(() => target.WithHostFunction("f", [], (GuestValueType)(-1), _ => 1), Throws.ArgumentException.With.Message.Contains("-1"));
        Assert.That(() => target.WithHostFunction("", [], GuestValueType.Int, _ => 1), Throws.ArgumentException);
        Assert.That(
            () => target.WithHostFunction("f", [], GuestValueType.Int, (Func<ReadOnlySpan<GuestValue>, GuestValue>)null!),
            Throws.ArgumentNullException);
        Assert.That(target.Functions, Is.Empty);
    }
}
