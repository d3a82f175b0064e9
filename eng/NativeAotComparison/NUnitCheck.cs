namespace Hyperlight.Tests;

/// <summary>NUnit is not made for NativeAOT: what the tests use of it must fail when it should, and only then.</summary>
internal static class NUnitCheck
{
    /// <summary>Each is given whether what it asserts is right.</summary>
    private static readonly (string Name, Action<bool> Assertion)[] Assertions =
    [
        ("fail", static isRight =>
        {
            if (!isRight)
            {
                Assert.Fail("expected");
            }
        }),
        ("condition", static isRight => Assert.That(isRight)),
        ("positive", static isRight => Assert.That(isRight ? 1L : 0L, Is.Positive)),
        ("greater", static isRight => Assert.That(isRight ? 5 : 4, Is.GreaterThan(4))),
        ("not less", static isRight => Assert.That(isRight ? 4L : 3L, Is.GreaterThanOrEqualTo(4))),
        ("empty", static isRight => Assert.That(Reports(isRight ? 0 : 1), Is.Empty)),
        ("list", static isRight => Assert.That(Lines(isRight ? "a" : "b"), Is.EqualTo(Lines("a")))),
        ("text", static isRight => Assert.That(isRight ? "a" : "b", Is.EqualTo("a"))),
    ];

    /// <summary>Prints what NUnit does wrong.</summary>
    public static bool Run()
    {
        bool succeeded = true;
        foreach ((string name, Action<bool> assertion) in Assertions)
        {
            if (TestCall.Catch(() => assertion(true)) is { } unexpected)
            {
                Console.WriteLine($"FAILED NUnit, {name}: what is right fails\n{unexpected}");
                succeeded = false;
            }

            if (TestCall.Catch(() => assertion(false)) is var failure and not AssertionException)
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
