using Hyperlight.Host.Diagnostics.Telemetry;

namespace Hyperlight.Tests.Host.Diagnostics.Telemetry;

/// <summary>The values of a tag that callers or guests choose.</summary>
[TestFixture]
internal sealed class TagValuesTests
{
    [TestCase("a\nb")]
    [TestCase("\u001B[2J")]
    [TestCase("\u202Eabc")]
    public void A_text_that_is_not_visible_as_it_is_takes_no_place(string text)
    {
        var values = new TagValues();

        Assert.That(values.Add(text), Is.EqualTo(Tags.Other));
        Assert.That(values.Find(text), Is.EqualTo(Tags.Other));
    }

    [Test]
    public void A_text_that_is_too_long_takes_no_place()
    {
        var values = new TagValues();
        string longest = new('x', TagValues.MaximumLength);

        Assert.That(values.Add(longest), Is.EqualTo(longest));
        Assert.That(values.Add(longest + "x"), Is.EqualTo(Tags.Other));
    }
}
