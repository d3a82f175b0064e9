using System.Text;
using Hyperlight.Plugins;
using Hyperlight.Programs;
using Hyperlight.Samples.Plugin;

namespace Hyperlight.Tests.Plugins;

/// <summary>What a plugin answers is checked.</summary>
[TestFixture]
internal sealed class PluginAnswerTests
{
    [TestCase("")]
    [TestCase("no JSON")]
    [TestCase("{")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("{}")]
    [TestCase("{\"id\":2}")]
    [TestCase("{\"id\":1.5}")]
    [TestCase("{\"id\":\"1\"}")]
    [TestCase("{\"id\":1}{\"id\":1}")]
    [TestCase("{\"id\":99999999999999999999}")]
    public void A_line_that_is_not_the_answer_is_refused(string line) =>
        Assert.Throws<GuestProtocolException>(() => PluginAnswer.Read(Encoding.UTF8.GetBytes(line), 1, "M"));

    [Test]
    public void A_line_that_is_nested_too_deep_is_refused() =>
        A_line_that_is_not_the_answer_is_refused("{\"id\":1,\"result\":" + new string('[', 100_000));

    [TestCase("{\"id\":1}")]
    [TestCase("{\"id\":1,\"result\":null}")]
    [TestCase("{\"id\":1,\"result\":\"text\"}")]
    [TestCase("{\"id\":1,\"result\":{}}")]
    [TestCase("{\"id\":1,\"result\":{\"Title\":null,\"Total\":1,\"Words\":{}}}")]
    [TestCase("{\"id\":1,\"result\":{\"Title\":\"\\ud800\",\"Total\":1,\"Words\":{}}}")]
    [TestCase("{\"id\":1,\"result\":{\"Title\":\"a\",\"Total\":1e10,\"Words\":{}}}")]
    public void A_result_of_another_type_is_refused(string line)
    {
        using PluginAnswer answer = PluginAnswer.Read(Encoding.UTF8.GetBytes(line), 1, "M");

        Assert.Throws<GuestProtocolException>(() => answer.Result(PluginJson.TypeInfo<WordCounts>(TextPluginJson.Default), canBeNull: false));
    }

    [Test]
    public void A_result_may_be_null_where_the_interface_says_so()
    {
        using PluginAnswer answer = PluginAnswer.Read("{\"id\":1,\"result\":null}"u8.ToArray(), 1, "M");

        Assert.That(answer.Result(PluginJson.TypeInfo<string?>(TextPluginJson.Default), canBeNull: true), Is.Null);
    }

    [TestCase("null", "", "")]
    [TestCase("[]", "", "")]
    [TestCase("{\"type\":5,\"message\":[]}", "", "")]
    [TestCase("{\"type\":\"T\",\"message\":\"one\\ntwo\\u001b\"}", "T", @"one\ntwo\u001B")]
    [TestCase("{\"type\":\"\\ud800\",\"message\":\"m\"}", "(not text)", "m")]
    public void What_an_exception_states_is_printable(string error, string type, string message)
    {
        PluginAnswer answer = PluginAnswer.Read(Encoding.UTF8.GetBytes($"{{\"id\":1,\"error\":{error}}}"), 1, "M");

        PluginException? exception = Assert.Throws<PluginException>(answer.ThrowIfError);
        Assert.That((exception!.Method, exception.ExceptionType, exception.ExceptionMessage), Is.EqualTo(("M", type, message)));
    }
}
