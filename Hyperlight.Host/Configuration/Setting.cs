using Microsoft.Extensions.Configuration;

namespace Hyperlight.Host.Configuration;

/// <summary>One key of a configuration section.</summary>
/// <typeparam name="T">What the section configures.</typeparam>
/// <param name="Key">The key, which is the name of a property of <typeparamref name="T"/>. Case does not matter.</param>
/// <param name="Expected">What may be set, for messages: a range and an example.</param>
/// <param name="Apply">
/// Returns the target with the value of the section. A wrong value is a <see cref="FormatException"/>, an <see cref="OverflowException"/> or an
/// <see cref="ArgumentException"/>; problems of keys below it are added to the list.
/// </param>
internal sealed record Setting<T>(string Key, string Expected, Func<T, IConfigurationSection, ICollection<string>, T> Apply);

/// <summary>Makes and applies settings.</summary>
internal static class Setting
{
    /// <summary>A setting that is a single value.</summary>
    public static Setting<T> Of<T, TValue>(string key, string expected, Func<string, TValue> parse, Func<T, TValue, T> set) => new(
        key,
        expected,
        (target, section, _) => section.Value is { } text ? set(target, parse(text))
            : section.GetChildren().Any() ? throw new FormatException()
            : target);

    /// <summary>A setting of a mutable target that is a single value.</summary>
    public static Setting<T> Of<T, TValue>(string key, string expected, Func<string, TValue> parse, Action<T, TValue> set) =>
        Of<T, TValue>(key, expected, parse, Returning(set));

    /// <summary>A setting that is any text but an empty one.</summary>
    public static Setting<T> OfText<T>(string key, string expected, Func<T, string, T> set) => Of(key, expected, SettingText.NotEmpty, set);

    /// <summary>A setting of a mutable target that is any text but an empty one.</summary>
    public static Setting<T> OfText<T>(string key, string expected, Action<T, string> set) => OfText(key, expected, Returning(set));

    /// <summary>A setting that is on or off.</summary>
    public static Setting<T> OfFlag<T>(string key, Func<T, bool, T> set) => Of(key, "'true' or 'false'", SettingText.Flag, set);

    /// <summary>A setting of a mutable target that is on or off.</summary>
    public static Setting<T> OfFlag<T>(string key, Action<T, bool> set) => OfFlag(key, Returning(set));

    /// <summary>A setting that is a member of an enumeration.</summary>
    public static Setting<T> OfName<T, TEnum>(string key, Func<T, TEnum, T> set)
        where TEnum : struct, Enum =>
        Of(key, "one of " + string.Join(", ", Enum.GetNames<TEnum>()), SettingText.Name<TEnum>, set);

    /// <summary>A setting of a mutable target that is a member of an enumeration.</summary>
    public static Setting<T> OfName<T, TEnum>(string key, Action<T, TEnum> set)
        where TEnum : struct, Enum =>
        OfName(key, Returning(set));

    /// <summary>A setting that is a list of values; a single one is a list too.</summary>
    public static Setting<T> OfList<T>(string key, string expected, Func<T, string[], T> set) => new(
        key,
        expected,
        (target, section, _) => Values(section) is { Length: > 0 } values ? set(target, values) : target);

    /// <summary>A setting of a mutable target that is a list of values.</summary>
    public static Setting<T> OfList<T>(string key, string expected, Action<T, string[]> set) => OfList(key, expected, Returning(set));

    /// <summary>A setting that is a section of its own.</summary>
    public static Setting<T> OfSection<T, TValue>(
        string key, IReadOnlyList<Setting<TValue>> settings, Func<T, TValue> get, Func<T, TValue, T> set) => new(
        key,
        "a section",
        (target, section, problems) => section.Value is { Length: > 0 }
            ? throw new FormatException()
            : set(target, Apply(section, get(target), settings, problems)));

    /// <summary>A setting of a mutable target that is a section of its own.</summary>
    public static Setting<T> OfSection<T, TValue>(
        string key, IReadOnlyList<Setting<TValue>> settings, Func<T, TValue> get, Action<T, TValue> set) =>
        OfSection(key, settings, get, Returning(set));

    /// <summary>Applies every key of a section.</summary>
    /// <returns>The target with the values that are right.</returns>
    /// <param name="configuration">The section.</param>
    /// <param name="target">What to apply them to.</param>
    /// <param name="settings">The keys there are.</param>
    /// <param name="problems">Receives a message for each unknown key and each wrong value.</param>
    public static T Apply<T>(
        IConfiguration configuration, T target, IReadOnlyList<Setting<T>> settings, ICollection<string> problems)
    {
        foreach (IConfigurationSection section in configuration.GetChildren())
        {
            Setting<T>? setting = settings.FirstOrDefault(s => string.Equals(s.Key, section.Key, StringComparison.OrdinalIgnoreCase));
            if (setting is null)
            {
                string known = string.Join(", ", settings.Select(s => s.Key));
                problems.Add($"{section.Path} is not a setting of Hyperlight. Remove it, or use one of: {known}.");
                continue;
            }

            try
            {
                target = setting.Apply(target, section, problems);
            }
            catch (Exception exception) when (exception is FormatException or OverflowException or ArgumentException)
            {
                problems.Add($"{section.Path} is {Describe(section)}. Set it to {setting.Expected}.");
            }
        }

        return target;
    }

    private static Func<T, TValue, T> Returning<T, TValue>(Action<T, TValue> set) => (target, value) =>
    {
        set(target, value);
        return target;
    };

    /// <summary>The values of a list. An empty list in JSON is an empty value.</summary>
    private static string[] Values(IConfigurationSection section) => section.Value is { } single
        ? single.Length > 0 ? [single] : []
        : [.. section.GetChildren().Select(child => child.Value ?? throw new FormatException())];

    private static string Describe(IConfigurationSection section) => section.Value is { } text
        ? $"'{text}'"
        : $"[{string.Join(", ", section.GetChildren().Select(child => child.Value is { } value ? $"'{value}'" : $"{child.Key}: a section"))}]";
}
