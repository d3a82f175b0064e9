using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// The processor of a machine that QEMU emulates. It checks less than a processor does, as its sources in target/i386/tcg
/// show, and a data breakpoint that a guest of KVM meets ends QEMU itself.
/// </summary>
internal static class QemuProcessor
{
    private const int FirstBrandLeaf = unchecked((int)0x8000_0002);
    private const int BrandLeaves = 3;

    private static readonly Lazy<bool> LazyIsHere = new(static () => Brand().Contains("QEMU TCG", StringComparison.Ordinal));

    /// <summary>Whether guests of a driver run on it.</summary>
    public static bool Runs(IHypervisor hypervisor) =>
        (hypervisor.Name == "kvm" || (hypervisor.Name == "whp" && OperatingSystem.IsWindows())) && LazyIsHere.Value;

    /// <summary>What the processor calls itself.</summary>
    private static string Brand()
    {
        if (!X86Base.IsSupported)
        {
            return string.Empty;
        }

        List<int> text = [];
        for (int i = 0; i < BrandLeaves; i++)
        {
            (int eax, int ebx, int ecx, int edx) = X86Base.CpuId(FirstBrandLeaf + i, 0);
            text.AddRange([eax, ebx, ecx, edx]);
        }

        return Encoding.ASCII.GetString(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(text)));
    }
}
