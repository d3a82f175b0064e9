namespace Hyperlight.Programs;

/// <summary>A plugin, and what it may use. Immutable.</summary>
public sealed record PluginTemplate
{
    /// <summary>
    /// The program of the plugin. <see cref="ProgramLimits.Time"/> and <see cref="ProgramLimits.Output"/> are those of a whole session, in which
    /// the plugin also waits for calls.
    /// </summary>
    public required ProgramTemplate Program { get; init; }

    /// <summary>
    /// The time that a call may take, the start of the plugin included. Default 10 seconds; <see cref="Timeout.InfiniteTimeSpan"/> for no
    /// limit. A plugin that takes longer is ended with <see cref="ProgramEnd.TimeLimit"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive and not infinite, or longer than 49 days.</exception>
    public TimeSpan CallTime
    {
        get;
        init
        {
            ProgramLimits.CheckTime(value, nameof(CallTime));
            field = value;
        }
    } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of the answer to a call. Default 1 MiB. A plugin that sends more is ended, and the call is a <see cref="GuestProtocolException"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public int AnswerBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(AnswerBytes));
            field = value;
        }
    } = 0x10_0000;
}
