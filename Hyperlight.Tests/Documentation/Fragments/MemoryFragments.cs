using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of docs/memory.md.</summary>
[TestFixture]
internal sealed class MemoryFragments : FragmentFixture
{
    [Test]
    public void File_mappings()
    {
        string guest = TestGuest;

        using MultiUseSandbox sandbox = new SandboxBuilder()
            .WithGuest(guest)
            .WithFileMapping("model.bin", 0x1000_0000)        // in every sandbox of this builder
            .Build();
        sandbox.MapFile("more.bin", 0x2000_0000, "more");     // in this sandbox only
        Assert.That(sandbox.Call<ulong>("MapAndRead", 0x1000_0000ul), Is.EqualTo(TestFiles.Word(0)));
        Assert.That(sandbox.Call<ulong>("MapAndRead", 0x2000_1000ul), Is.EqualTo(TestFiles.Word(4096)));
    }

    [Test]
    public void Unmapping()
    {
        using MultiUseSandbox sandbox = new SandboxBuilder().WithGuest(TestGuest).Build();
        sandbox.MapFile("more.bin", 0x2000_0000);

        sandbox.UnmapFile(0x2000_0000);
        Assert.That(() => sandbox.Call<ulong>("MapAndRead", 0x2000_0000ul), Throws.InstanceOf<HyperlightException>());
    }
}
