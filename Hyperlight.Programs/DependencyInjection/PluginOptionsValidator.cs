using Microsoft.Extensions.Options;

namespace Hyperlight.Programs.DependencyInjection;

/// <summary>Finds out when an application starts what is wrong with the options of its plugins.</summary>
internal sealed class PluginOptionsValidator : IValidateOptions<PluginOptions>
{
    public ValidateOptionsResult Validate(string? name, PluginOptions options)
    {
        string[] problems = [.. Check(name, options)];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static IEnumerable<string> Check(string? name, PluginOptions options)
    {
        if (options.CallTime != Timeout.InfiniteTimeSpan && (options.CallTime <= TimeSpan.Zero || options.CallTime > ProgramLimits.LongestTime))
        {
            yield return $"The plugin '{name}': {nameof(options.CallTime)} is {options.CallTime:c}. Set it to a time above 0, of at most 49 days, or to infinite.";
        }

        if (options.AnswerBytes <= 0)
        {
            yield return $"The plugin '{name}': {nameof(options.AnswerBytes)} is {options.AnswerBytes}. Set it to a number above 0.";
        }
    }
}
