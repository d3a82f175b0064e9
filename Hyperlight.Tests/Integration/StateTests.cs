using System.Buffers.Binary;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration;

/// <summary>What a guest finds in its machine, what it keeps, and what it does not share.</summary>
internal sealed class StateTests(TestTarget target) : GuestTest(target)
{
    [Test]
    public void State_persists_between_calls()
    {
        Assert.That(Sandbox.Call<int>("IncrementCounter"), Is.EqualTo(1));
        Assert.That(Sandbox.Call<int>("IncrementCounter"), Is.EqualTo(2));
        Assert.That(Sandbox.Call<int>("GetCounter"), Is.EqualTo(2));
    }

    [Test]
    public void State_is_not_shared_between_sandboxes()
    {
        MultiUseSandbox other = Build(_ => { });
        Sandbox.Call<int>("IncrementCounter");

        Assert.That(other.Call<int>("GetCounter"), Is.Zero);
    }

    [Test]
    public void Each_sandbox_has_another_seed() =>
        Assert.That(Build(_ => { }).Call<ulong>("GetSeed"), Is.Not.EqualTo(Sandbox.Call<ulong>("GetSeed")));

    [Test]
    public void The_page_size_is_handed_over() => Assert.That(Sandbox.Call<uint>("GetPageSize"), Is.EqualTo(4096));

    [Test]
    public void The_peb_describes_the_configuration()
    {
        MultiUseSandbox sandbox = Build(b => b.WithConfiguration(new SandboxConfiguration
        {
            InputBufferSize = 0x2000,
            OutputBufferSize = 0x3000,
            HeapSize = 0x30001,
            ScratchSize = 0x60000,
        }));

        byte[] peb = sandbox.Call<byte[]>("GetPeb");

        ulong[] words = [.. Enumerable.Range(0, 8).Select(i => BinaryPrimitives.ReadUInt64LittleEndian(peb.AsSpan(8 * i)))];
        Assert.That(words[0], Is.EqualTo(0x2000));
        Assert.That(words[1], Is.EqualTo(0xFFFF_FFFF_FFF9_F000));
        Assert.That(words[2], Is.EqualTo(0x3000));
        Assert.That(words[3], Is.EqualTo(0xFFFF_FFFF_FFFA_1000));
        Assert.That(words[6], Is.EqualTo(0x30001));
    }

    [Test]
    public void Init_data_reaches_the_guest()
    {
        byte[] data = [.. Enumerable.Range(0, 5000).Select(i => (byte)i)];

        Assert.That(Build(b => b.WithInitData(data)).Call<byte[]>("GetInitData"), Is.EqualTo(data));
        Assert.That(Sandbox.Call<byte[]>("GetInitData"), Is.Empty);
    }

    [Test]
    public void The_control_registers_are_the_abis()
    {
        Assert.That(Sandbox.Call<ulong>("GetCr", 0), Is.EqualTo(0x8005_0033));
        Assert.That(Sandbox.Call<ulong>("GetCr", 3), Is.EqualTo(0xF_FFFC_0000));
        Assert.That(Sandbox.Call<ulong>("GetCr", 4) & 0x620, Is.EqualTo(0x620));
    }

    [Test]
    public void The_scratch_metadata_is_the_abis()
    {
        byte[] info = Sandbox.Call<byte[]>("GetScratchInfo");

        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(info.AsSpan(0x18)), Is.EqualTo(0x48000), "size");
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(info.AsSpan(0x08)), Is.EqualTo(0xF_FFFC_0000), "page tables");
        Assert.That(Sandbox.Call<ulong>("GetGeneration"), Is.Zero);
    }

    [Test]
    public void A_sandbox_may_move_between_threads()
    {
        Sandbox.Call<int>("IncrementCounter");

        int value = 0;
        var thread = new Thread(() => value = Sandbox.Call<int>("IncrementCounter"));
        thread.Start();
        thread.Join();

        Assert.That(value, Is.EqualTo(2));
        Assert.That(Sandbox.Call<int>("IncrementCounter"), Is.EqualTo(3));
    }

    [Test]
    public void Sandboxes_run_side_by_side()
    {
        MultiUseSandbox[] sandboxes = [Sandbox, .. Enumerable.Range(0, 3).Select(_ => Build(_ => { }))];

        Parallel.ForEach(sandboxes, sandbox =>
        {
            for (int i = 1; i <= 20; i++)
            {
                Assert.That(sandbox.Call<int>("IncrementCounter"), Is.EqualTo(i));
            }
        });
    }

    [Test]
    public void A_guest_needs_at_least_the_memory_it_is_made_of()
    {
        Assert.That(
            () => Target.Builder().WithConfiguration(new SandboxConfiguration { ScratchSize = 0x13000 }).Build(),
            Throws.TypeOf<MemoryRequestException>().With.Property(nameof(MemoryRequestException.IsTooSmall)).True);
    }

    [Test]
    public void Another_version_of_the_abi_is_refused() => Assert.That(
        () => Target.Builder()
            .WithConfiguration(new SandboxConfiguration { AcceptedGuestVersions = GuestVersionPolicy.Exactly("0.14.0") })
            .Build(),
        Throws.TypeOf<GuestVersionMismatchException>()
            .With.Property(nameof(GuestVersionMismatchException.GuestVersion)).EqualTo("0.15.0")
            .And.Message.Contains("0.14.0"));

    [Test]
    public void The_sandbox_says_which_driver_runs_it()
    {
        Assert.That(Sandbox.Hypervisor.Name, Is.EqualTo(Target.Hypervisor.Name));
        Assert.That(Sandbox.Hypervisor.Reason, Does.StartWith(Target.Hypervisor.Probe().Reason));
        Assert.That(Target.Hypervisor.Probe().Availability, Is.EqualTo(HypervisorAvailability.Usable));
    }
}
