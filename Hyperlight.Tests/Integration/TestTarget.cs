using Hyperlight.Abstractions;
using Hyperlight.Whp;

namespace Hyperlight.Tests.Integration;

/// <summary>A usable driver and a build of the test guest that it can execute: what one run of the suite is about.</summary>
/// <param name="Hypervisor">The driver.</param>
/// <param name="GuestFile">The build of the test guest.</param>
/// <param name="Variant">How the driver was told to work, where that makes a difference.</param>
internal sealed record TestTarget(IHypervisor Hypervisor, string GuestFile, string Variant = "")
{
    /// <summary>The variant of a driver whose hypervisor is a simulation.</summary>
    public const string Simulated = "simulated";

    /// <summary>The variant of the emulator that translates the guest's code.</summary>
    public const string Translator = "translator";
    public const string MachineCode = "machine code";

    private static readonly Dictionary<string, GuestBinary> Binaries = [];

    /// <summary>The test guest.</summary>
    public GuestBinary Binary => Load(GuestFile);

    public SandboxBuilder Builder() => BuilderFor(GuestFile);

    /// <summary>A builder of another guest on the same driver. What the guest prints goes to the test's output.</summary>
    public SandboxBuilder BuilderFor(string guestFile) => new SandboxBuilder()
        .WithHypervisor(Hypervisor)
        .WithGuest(Load(guestFile))
        .WithPrint(TestContext.Out.Write)
        .WithDebugPrint(character => TestContext.Out.Write(character.ToString()));

    /// <summary>Driver and variant.</summary>
    public string Driver => Variant.Length == 0 ? Hypervisor.Name : $"{Hypervisor.Name} ({Variant})";

    /// <summary>
    /// Whether a guest sees a file as it was when it was mapped: pinning the pages of a private mapping copies them, and so does
    /// the simulated Windows, which has no other means to keep others from shortening a file that is mapped.
    /// </summary>
    public bool CopiesFilesWhenMapped => Hypervisor.Name == "mshv" || (IsSimulated && Hypervisor.Name == "whp");

    /// <summary>Whether the system refuses to shorten a file that is mapped: Windows does.</summary>
    public bool KeepsMappedFilesLong => Hypervisor.Name == "whp" && !IsSimulated;

    /// <summary>Whether the hypervisor denies guests the model-specific registers that the policy does not permit.</summary>
    public bool DeniesMsrs => Hypervisor.Name is not ("mshv" or "whp");

    /// <summary>Whether the host can read and write IA32_MISC_ENABLE: WHP has no name for it.</summary>
    public bool HasMiscEnable => Hypervisor.Name != "whp";

    /// <summary>How many machines a process can have at the same time: WHP needs a surrogate process for each.</summary>
    public int MaximumMachines => Hypervisor.Name == "whp" ? new WhpOptions(static _ => null).MaxSurrogates : int.MaxValue;

    /// <summary>Whether the hypervisor is a simulation: its driver is not the one that the selection finds by its name.</summary>
    public bool IsSimulated => Variant == Simulated;

    public override string ToString() => $"{Driver}, {GuestFile}";

    private static GuestBinary Load(string file)
    {
        lock (Binaries)
        {
            if (!Binaries.TryGetValue(file, out GuestBinary? binary))
            {
                binary = GuestBinary.FromFile(Path.Combine(AppContext.BaseDirectory, "guests", file));
                Binaries.Add(file, binary);
            }

            return binary;
        }
    }
}
