namespace Hyperlight.Programs;

/// <summary>How a plugin that an application registers with <c>AddPlugin</c> is called: the properties of <see cref="PluginTemplate"/>.</summary>
public sealed class PluginOptions
{
    /// <inheritdoc cref="PluginTemplate.CallTime"/>
    /// <remarks>The wait for a micro VM of the pool is a part of the first call of a session.</remarks>
    public TimeSpan CallTime { get; set; } = TimeSpan.FromSeconds(10);

    /// <inheritdoc cref="PluginTemplate.AnswerBytes"/>
    public int AnswerBytes { get; set; } = 0x10_0000;
}
