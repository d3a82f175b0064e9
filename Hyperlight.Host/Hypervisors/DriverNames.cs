namespace Hyperlight.Host.Hypervisors;

/// <summary>Lists of driver names that an application passes.</summary>
internal static class DriverNames
{
    /// <summary>Checks and copies the names.</summary>
    /// <exception cref="ArgumentException">There is no name, or one is empty.</exception>
    public static string[] Copy(string[] names)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (names.Length == 0)
        {
            throw new ArgumentException("At least one driver name is needed, such as 'kvm'.", nameof(names));
        }

        foreach (string name in names)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(name, nameof(names));
        }

        return [.. names];
    }
}
