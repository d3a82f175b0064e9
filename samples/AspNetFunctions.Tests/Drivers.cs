namespace Hyperlight.Samples.AspNetFunctions.Tests;

/// <summary>The drivers that the tests of the service run on.</summary>
internal static class Drivers
{
    public static readonly string[] All = ["emulator", "kvm"];

    /// <summary>Skips the test where the driver cannot be used, with the driver's reason.</summary>
    public static void Require(string driver)
    {
        Hyperlight.Abstractions.HypervisorStatus status = HypervisorSelector.Default.Hypervisors.Single(known => known.Name == driver).Probe();
        if (!status.IsUsable)
        {
            Assert.Ignore($"The driver {driver} cannot be used on this machine: {status.Reason}");
        }
    }
}
