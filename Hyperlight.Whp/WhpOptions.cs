using System.Globalization;

namespace Hyperlight.Whp;

/// <summary>
/// How the WHP driver works. The platform maps the memory of one process into one virtual machine only; hence each virtual
/// machine borrows a process that does nothing and hosts its memory, a surrogate.
/// </summary>
public sealed class WhpOptions
{
    /// <summary>The environment variable with the default of <see cref="InitialSurrogates"/>.</summary>
    internal const string InitialSurrogatesVariable = "HYPERLIGHT_INITIAL_SURROGATES";

    /// <summary>The environment variable with the default of <see cref="MaxSurrogates"/>.</summary>
    internal const string MaxSurrogatesVariable = "HYPERLIGHT_MAX_SURROGATES";

    /// <summary>The largest number of surrogates.</summary>
    internal const int MostSurrogates = 512;

    private const int FewInitialSurrogates = 1;

    /// <summary>Creates the options with their defaults, which two environment variables change.</summary>
    public WhpOptions()
        : this(Environment.GetEnvironmentVariable)
    {
    }

    /// <summary>Creates the options with their defaults.</summary>
    /// <param name="variable">Reads an environment variable.</param>
    internal WhpOptions(Func<string, string?> variable)
    {
        MaxSurrogates = Read(variable(MaxSurrogatesVariable)) ?? MostSurrogates;
        InitialSurrogates = Read(variable(InitialSurrogatesVariable)) ?? FewInitialSurrogates;
    }

    /// <summary>
    /// How many surrogates are started when the first one is needed; later ones are started one by one. At most
    /// <see cref="MaxSurrogates"/> are started. Default: the environment variable <c>HYPERLIGHT_INITIAL_SURROGATES</c>, or 1.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not 0 to 512.</exception>
    public int InitialSurrogates { get; init => field = Check(value); }

    /// <summary>
    /// The largest number of surrogates, and so of virtual machines that exist at the same time. 0: there are no surrogates,
    /// and a process has one virtual machine at a time. Default: the environment variable <c>HYPERLIGHT_MAX_SURROGATES</c>,
    /// or 512.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not 0 to 512.</exception>
    public int MaxSurrogates { get; init => field = Check(value); }

    /// <summary>
    /// How long the creation of a virtual machine waits while all surrogates are in use, before it fails. Default: 30 seconds.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, or longer than <see cref="int.MaxValue"/> milliseconds.</exception>
    public TimeSpan SurrogateTimeout
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMilliseconds(int.MaxValue));
            field = value;
        }
    }

    = TimeSpan.FromSeconds(30);

    /// <summary>A number in an environment variable; what is out of range counts as the nearest number, other text as nothing.</summary>
    private static int? Read(string? text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
        ? (int)Math.Clamp(number, 0, MostSurrogates)
        : null;

    private static int Check(int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MostSurrogates);
        return value;
    }
}
