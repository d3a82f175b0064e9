using System.Globalization;

namespace Hyperlight;

/// <summary>The configuration of a sandbox asks for something that its hypervisor cannot do. No sandbox was built.</summary>
public sealed class UnsupportedConfigurationException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="setting">The property of <see cref="SandboxConfiguration"/>.</param>
    /// <param name="value">Its value.</param>
    /// <param name="driver">The driver's name, such as <c>kvm</c>.</param>
    /// <param name="problem">What the driver lacks.</param>
    /// <param name="remedy">What the user can do.</param>
    public UnsupportedConfigurationException(string setting, IFormattable value, string driver, string problem, string remedy)
        : base($"{setting} is {value.ToString(null, CultureInfo.InvariantCulture)}, but the hypervisor is '{driver}', {problem}. {remedy}")
    {
        Setting = setting;
        Driver = driver;
    }

    /// <summary>The property of <see cref="SandboxConfiguration"/>.</summary>
    public string Setting { get; }

    /// <summary>The driver's name.</summary>
    public string Driver { get; }
}
