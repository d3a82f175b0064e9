namespace Hyperlight.Tests;

/// <summary>NUnit is not made for NativeAOT: what the tests use of it must fail when it should, and only then.</summary>
internal static class NUnitCheck
{
    private static readonly (string Name, Action Passes, Action Fails)[] Assertions =
    [
        ("Fail", static () => { }, static () => Assert.Fail("expected")),
        ("condition", static () => Assert.That(true), static () => Assert.That(false)),
        ("positive", static () => Assert.That(1L, Is.Positive), static () => Assert.That(0L, Is.Positive)),
        ("greater", static () => Assert.That(5, Is.GreaterThan(4)), static () => Assert.That(4, Is.GreaterThan(4))),
        ("empty", static () => Assert.That(Reports(0), Is.Empty), static () => Assert.That(Reports(1), Is.Empty)),
        ("list", static () => Assert.That(Lines("a"), Is.EqualTo(Lines("a"))), static () => Assert.That(Lines("a"), Is.EqualTo(Lines("b")))),
        ("text", static () => Assert.That(Lines("a")[1], Is.EqualTo("a")), static () => Assert.That(Lines("a")[1], Is.EqualTo("b"))),
    ];

    /// <summary>Prints what NUnit does wrong.</summary>
    public static bool Run()
    {
        bool succeeded = true;
        foreach ((string name, Action passes, Action fails) in Assertions)
        {
            if (TestCall.Catch(passes) is { } unexpected)
            {
                Console.WriteLine($"FAILED NUnit, {name}: what is right fails\n{unexpected}");
                succeeded = false;
            }

            if (TestCall.Catch(fails) is var failure and not AssertionException)
            {
                Console.WriteLine($"FAILED NUnit, {name}: what is wrong does not fail, but ends with {failure?.ToString() ?? "nothing"}");
                succeeded = false;
            }
        }

        return succeeded;
    }

    private static SortedDictionary<string, string> Reports(int count) =>
        count == 0 ? [] : new SortedDictionary<string, string> { ["name"] = "difference" };

    private static List<string> Lines(string last) => ["first", last];
}
