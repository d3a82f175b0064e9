using Hyperlight.Extensions.AI;
using Hyperlight.Programs;
using Microsoft.Extensions.AI;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of docs/ai.md.</summary>
[TestFixture]
internal sealed class AIFragments : FragmentFixture
{
    [Test]
    public async Task A_function_for_a_chat()
    {
        using CacheVariable cache = ProgramsFragments.WritePython();

        await using ProgramRunner python = await ProgramRunner.CreateAsync(new ProgramTemplate
        {
            Image = ProgramImage.FromOciLayout("python"),
            Command = ["/usr/local/bin/python3", "-"],
            Limits = new ProgramLimits { Time = TimeSpan.FromSeconds(10) },
        });
        var function = python.AsCodeExecutionFunction(new CodeExecutionOptions { Name = "run_python", Description = "Executes Python 3.12 without a network." });
        var options = new ChatOptions { Tools = [function] };

        Assert.That(options.Tools[0].Name, Is.EqualTo("run_python"));
    }

    [Test]
    public void Tools_for_code()
    {
        var weather = AIFunctionFactory.Create((string city) => $"It rains in {city}.", "get_weather", "The weather of a city.");
        var options = new CodeExecutionOptions { Tools = [weather] };

        Assert.That(options.Tools[0].Name, Is.EqualTo("get_weather"));
    }
}
