using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>Loads the Windows Hypervisor Platform, or finds out why it cannot be used.</summary>
internal static unsafe class WhpProbe
{
    private const string EnableFeature =
        "Enable the Windows feature 'Windows Hypervisor Platform' (as an administrator: "
        + "Enable-WindowsOptionalFeature -Online -FeatureName HypervisorPlatform) and restart Windows.";

    private const string MinimumVersion = "Windows 11 or Windows Server 2022";

    /// <summary>Loads the library, and creates a partition to see whether that is possible.</summary>
    /// <param name="winHv">The platform.</param>
    /// <param name="kernel">Windows.</param>
    /// <param name="surrogates">The processes that host the memory of guests, or <see langword="null"/> to do without them.</param>
    /// <param name="system">The platform, if the answer is usable.</param>
    public static HypervisorStatus Open(
        IWinHv winHv, IWindowsKernel kernel, SurrogatePool? surrogates, out WhpSystem? system)
    {
        system = null;
        if (kernel.UnsupportedPlatform is { } reason)
        {
            return new HypervisorStatus(HypervisorAvailability.UnsupportedPlatform, $"WHP needs Windows on x64. {reason}");
        }

        if ((CheckLibrary(winHv, surrogates) ?? CheckHypervisor(winHv) ?? CheckFeatures(winHv) ?? CheckPartition(winHv)) is { } problem)
        {
            return problem;
        }

        system = new WhpSystem(winHv, kernel, surrogates, WhpFeatures.Read(winHv));
        return HypervisorStatus.Usable(surrogates is null
            ? $"{WinHvPlatform.Library}, one virtual machine at a time"
            : WinHvPlatform.Library);
    }

    private static HypervisorStatus? CheckLibrary(IWinHv winHv, SurrogatePool? surrogates)
    {
        IReadOnlyList<string>? missing = winHv.Load();
        if (missing is null)
        {
            return new HypervisorStatus(
                HypervisorAvailability.NoDevice,
                $"{WinHvPlatform.Library} does not exist: the Windows feature 'Windows Hypervisor Platform' is not enabled.",
                $"{EnableFeature} It takes {MinimumVersion}.");
        }

        // Without surrogates nothing is mapped from another process.
        string[] needed = [.. missing.Where(name => surrogates is not null || name != WinHvExports.WHvMapGpaRange2)];
        return needed.Length == 0 ? null : new HypervisorStatus(
            HypervisorAvailability.WrongApiVersion,
            $"{WinHvPlatform.Library} lacks {string.Join(", ", needed)}: this version of Windows is too old.",
            $"Use {MinimumVersion}, or later.");
    }

    private static HypervisorStatus? CheckHypervisor(IWinHv winHv)
    {
        // SAFETY: locals of the capability's type and size.
        int isPresent = 0;
        uint written;
        int result = winHv.GetCapability(
            WhvCapabilities.WHvCapabilityCodeHypervisorPresent, &isPresent, sizeof(int), &written);
        if (result < 0)
        {
            return Failed(nameof(WinHvPlatform.WHvGetCapability), result);
        }

        return isPresent != 0 ? null : new HypervisorStatus(
            HypervisorAvailability.MissingCapability,
            $"{WinHvPlatform.Library} exists, but the hypervisor is not running.",
            $"Enable virtualization in the firmware; in a virtual machine, enable nested virtualization. {EnableFeature}");
    }

    private static HypervisorStatus? CheckFeatures(IWinHv winHv)
    {
        // SAFETY: locals of the capability's type and size.
        ulong features = 0;
        uint written;
        int result = winHv.GetCapability(WhvCapabilities.WHvCapabilityCodeFeatures, &features, sizeof(ulong), &written);
        if (result < 0)
        {
            return Failed(nameof(WinHvPlatform.WHvGetCapability), result);
        }

        return (features & (1UL << WhvCapabilityFeatures.Xsave)) != 0 ? null : new HypervisorStatus(
            HypervisorAvailability.MissingCapability,
            "The hypervisor does not give the extended state of its processors (WHV_CAPABILITY_FEATURES.Xsave).",
            $"Use {MinimumVersion}, or later.");
    }

    private static HypervisorStatus? CheckPartition(IWinHv winHv)
    {
        // SAFETY: a local of the function's type.
        nint partition;
        int result = winHv.CreatePartition(&partition);
        if (result == HResults.E_ACCESSDENIED)
        {
            return new HypervisorStatus(
                HypervisorAvailability.NoPermission,
                $"This process may not create partitions ({nameof(WinHvPlatform.WHvCreatePartition)}: {WhpError.Describe(result)}).",
                "Run it as a user who is a member of the group 'Hyper-V Administrators', and outside of a sandbox.");
        }

        if (result < 0)
        {
            return Failed(nameof(WinHvPlatform.WHvCreatePartition), result);
        }

        result = winHv.DeletePartition(partition);
        return result < 0 ? Failed(nameof(WinHvPlatform.WHvDeletePartition), result) : null;
    }

    private static HypervisorStatus Failed(string function, int result) => new(
        HypervisorAvailability.Failed, WhpError.Create(result, function).Message);
}
