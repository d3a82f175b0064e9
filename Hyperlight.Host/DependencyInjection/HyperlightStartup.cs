using Microsoft.Extensions.Options;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>Options without values: their validation checks, when an application starts, what only all options together show.</summary>
internal sealed class HyperlightStartup
{
    /// <summary>Checks that a driver can be used, and the options of each template. All problems are reported at once.</summary>
    internal sealed class Validator(
        IOptions<HyperlightOptions> options,
        ISandboxFactory factory,
        SandboxTemplates templates,
        IOptionsMonitor<SandboxTemplateOptions> templateOptions) : IValidateOptions<HyperlightStartup>
    {
        public ValidateOptionsResult Validate(string? name, HyperlightStartup startup)
        {
            try
            {
                _ = options.Value;
            }
            catch (OptionsValidationException exception) when (exception.OptionsType == typeof(HyperlightOptions))
            {
                // It is reported by the validation of these options.
                return ValidateOptionsResult.Skip;
            }

            string[] problems = [.. CheckDriver(), .. templates.Names.SelectMany(CheckTemplate), .. CheckPrograms()];
            return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
        }

        private IEnumerable<string> CheckDriver()
        {
            try
            {
                _ = factory.Hypervisor;
                return [];
            }
            catch (HypervisorNotAvailableException exception)
            {
                return [options.Value.DescribeDrivers() + exception.Message];
            }
        }

        private IEnumerable<string> CheckPrograms() => templates.UnknownPrograms().Select(static section =>
            $"{section.Path} is the section of a program that is not registered. Remove it, or call AddProgram(\"{section.Key}\", ...).");

        private IEnumerable<string> CheckTemplate(string template)
        {
            try
            {
                _ = templateOptions.Get(template);
                return [];
            }
            catch (OptionsValidationException exception) when (exception.OptionsType == typeof(SandboxTemplateOptions))
            {
                return exception.Failures;
            }
        }
    }
}
