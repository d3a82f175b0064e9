using Hyperlight.Abstractions;
using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A guest whose snapshots are measured: how large it is, and how much of its memory a call touches.</summary>
/// <param name="TouchedPages">Pages of its stack that a call writes, besides what every call writes.</param>
/// <param name="DataSize">
/// Bytes of data in its image, none of them zero, and as much room for changes in scratch memory; 0 for the usual sizes.
/// </param>
internal sealed record SnapshotGuest(int TouchedPages, int DataSize = 0)
{
    private const byte Filling = 0xA5;

    /// <summary>How many pages of stack fit into scratch memory of the usual size.</summary>
    private const int UsualPages = 10;

    /// <summary>Page tables take 8 bytes for each page of image and of scratch memory; a 64th of the size is plenty.</summary>
    private const int PageTableShare = 64;

    /// <summary>How many pages, by default.</summary>
    public static IReadOnlyList<int> Touches { get; } = [0, 10, 100];

    /// <summary>How large, by default.</summary>
    public static IReadOnlyList<int> Sizes { get; } = [1 << 20, 16 << 20, 64 << 20];

    /// <summary>Bytes of the guest's scratch memory.</summary>
    public ulong ScratchSize
    {
        get
        {
            ulong usual = new SandboxConfiguration().ScratchSize;
            ulong touched = TouchedPages > UsualPages ? (ulong)TouchedPages * GuestPage.Size : 0;
            return GuestPage.RoundUp(usual + touched + (ulong)DataSize + (ulong)(DataSize / PageTableShare));
        }
    }

    /// <summary>A sandbox of the guest.</summary>
    public MultiUseSandbox Build(BenchmarkDriver driver)
    {
        SandboxBuilder builder = TestGuest.Builder(driver)
            .WithConfiguration(new SandboxConfiguration { ScratchSize = ScratchSize });
        if (DataSize > 0)
        {
            byte[] data = new byte[DataSize];
            data.AsSpan().Fill(Filling);
            builder.WithInitData(data);
        }

        return builder.Build();
    }

    /// <summary>Makes the call that touches the pages.</summary>
    public void Touch(MultiUseSandbox sandbox) => sandbox.Call<int>("UseStack", TouchedPages * GuestPage.Size / 1024);
}
