using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration;

/// <summary>A usable driver and a build of the test guest that it can execute: what one run of the suite is about.</summary>
internal sealed record TestTarget(IHypervisor Hypervisor, string GuestFile)
{
    private static readonly Dictionary<string, GuestBinary> Binaries = [];

    public SandboxBuilder Builder() => BuilderFor(GuestFile);

    /// <summary>A builder of another guest on the same driver. What the guest prints goes to the test's output.</summary>
    public SandboxBuilder BuilderFor(string guestFile) => new SandboxBuilder()
        .WithHypervisor(Hypervisor)
        .WithGuest(Load(guestFile))
        .WithPrint(TestContext.Out.Write)
        .WithDebugPrint(character => TestContext.Out.Write(character.ToString()));

    public override string ToString() => $"{Hypervisor.Name}, {GuestFile}";

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
