namespace Hyperlight;

/// <summary>Makes sandbox builders that use the application's hypervisor, configuration and logging. Safe for all threads.</summary>
public interface ISandboxFactory
{
    /// <summary>The hypervisor that sandboxes will run on, and why.</summary>
    /// <exception cref="HypervisorNotAvailableException">None can be used; the message says what to do.</exception>
    HypervisorSelection Hypervisor { get; }

    /// <summary>Creates a builder.</summary>
    SandboxBuilder CreateBuilder();
}
