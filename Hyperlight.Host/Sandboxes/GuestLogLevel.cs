namespace Hyperlight;

/// <summary>How much a guest logs, with the numbers of the guest ABI.</summary>
public enum GuestLogLevel
{
    /// <summary>Nothing.</summary>
    Off = 0,

    /// <summary>Errors.</summary>
    Error = 1,

    /// <summary>Warnings and above.</summary>
    Warning = 2,

    /// <summary>Information and above.</summary>
    Information = 3,

    /// <summary>Debugging detail and above.</summary>
    Debug = 4,

    /// <summary>Everything.</summary>
    Trace = 5,
}
