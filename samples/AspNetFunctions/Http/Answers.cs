using Hyperlight.Samples.AspNetFunctions.Functions;
using Hyperlight.Samples.AspNetFunctions.Guests;

namespace Hyperlight.Samples.AspNetFunctions.Http;

/// <summary>A guest.</summary>
internal sealed record GuestAnswer(string Name, string Sha256, int Size, int? Functions, SandboxPoolStatistics Pool)
{
    public static GuestAnswer Of(FunctionGuest guest) =>
        new(guest.Name, guest.Digest, guest.Size, guest.Functions?.Count, guest.Pool.Statistics);
}

/// <summary>The functions of a guest.</summary>
/// <param name="AreListed">Whether the guest lists its functions. Otherwise a call has to give the signature.</param>
/// <param name="Functions">The functions.</param>
internal sealed record FunctionsAnswer(bool AreListed, IEnumerable<FunctionAnswer> Functions)
{
    public static FunctionsAnswer Of(FunctionGuest guest) => new(guest.Functions is not null, (guest.Functions ?? []).Select(FunctionAnswer.Of));
}

/// <summary>A function of a guest.</summary>
internal sealed record FunctionAnswer(string Name, string Signature, string Result, IReadOnlyList<Parameter> Parameters)
{
    public static FunctionAnswer Of(Signature signature) => new(signature.Name, signature.ToString(), signature.Result, signature.Parameters);
}

/// <summary>The drivers and the pools.</summary>
internal sealed record StatusAnswer(string Driver, string Reason, IEnumerable<DriverAnswer> Drivers, IEnumerable<GuestAnswer> Guests)
{
    public static StatusAnswer Of(ISandboxFactory factory, HypervisorSelector selector, GuestCatalog catalog) => new(
        factory.Hypervisor.Name,
        factory.Hypervisor.Reason,
        selector.Hypervisors.Select(static driver => (driver.Name, Status: driver.Probe()))
            .Select(static driver => new DriverAnswer(driver.Name, driver.Status.IsUsable, driver.Status.Reason, driver.Status.Remedy)),
        catalog.Guests.Select(GuestAnswer.Of));
}

/// <summary>A driver, whether this machine can use it, and why not.</summary>
internal sealed record DriverAnswer(string Name, bool IsUsable, string Reason, string? Remedy);
