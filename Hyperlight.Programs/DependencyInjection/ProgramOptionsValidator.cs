using Microsoft.Extensions.Options;

namespace Hyperlight.Programs.DependencyInjection;

/// <summary>Finds out when an application starts what is wrong with the options of its programs.</summary>
internal sealed class ProgramOptionsValidator : IValidateOptions<ProgramOptions>
{
    public ValidateOptionsResult Validate(string? name, ProgramOptions options)
    {
        if (options.Image is not { } image)
        {
            return ValidateOptionsResult.Fail($"The program '{name}' has no image: set {nameof(ProgramOptions)}.{nameof(ProgramOptions.Image)}.");
        }

        try
        {
            ProgramRequest.Create(RegisteredProgram.TemplateOf(image, options), ProgramInput.Empty);
            return ValidateOptionsResult.Success;
        }
        catch (ArgumentException exception)
        {
            return ValidateOptionsResult.Fail($"The program '{name}': {exception.Message}");
        }
    }
}
