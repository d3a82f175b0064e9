using System.Diagnostics;
using Hyperlight.Abstractions;
using static Hyperlight.Tests.Integration.TestFiles;

namespace Hyperlight.Tests.Integration;

/// <summary>Files in a guest, on every driver.</summary>
internal sealed class FileMappingTests(TestTarget target) : GuestTest(target)
{
    private const ulong Address = 0x1000_0000;
    private const ulong Mark = 0x1122_3344_5566_7788;

    private TestFiles _files = null!;

    [SetUp]
    public void CreateFiles() => _files = new TestFiles();

    [TearDown]
    public void DeleteFiles() => _files.Dispose();

    [Test]
    public void The_guest_reads_the_file_and_zeros_behind_it()
    {
        SandboxMapping mapping = Sandbox.MapFile(_files.New("model", 5000), Address);

        Assert.That(mapping, Is.EqualTo(new SandboxMapping(
            "model", Address, 8192, MemoryFlags.Read | MemoryFlags.Execute, MemoryRegionKind.File)));
        Assert.That(Read(Address), Is.EqualTo(Word(0)));
        Assert.That(Read(Address + 4992), Is.EqualTo(Word(4992)));
        Assert.That(Read(Address + 5000), Is.Zero);
        Assert.That(Read(Address + 8184), Is.Zero);
    }

    [Test]
    public void The_guest_executes_the_file()
    {
        // mov eax, 42; ret
        string path = _files.New("code", [0xB8, 42, 0, 0, 0, 0xC3]);
        Sandbox.MapFile(path, Address);

        Assert.That(Sandbox.Call<int>("MapAndExecute", Address), Is.EqualTo(42));
    }

    [Test]
    public void A_write_is_a_typed_error_that_names_the_mapping_and_never_reaches_the_file()
    {
        string path = _files.New("model", 5000);
        Sandbox.MapFile(path, Address, "weights");

        MemoryAccessViolationException error =
            AssertPoisons<MemoryAccessViolationException>(s => s.Call("MapAndWrite", Address + 8, 1UL));

        Assert.That(error.Label, Is.EqualTo("weights"));
        Assert.That(error.Address, Is.EqualTo(Address + 8));
        Assert.That(error.Attempted, Is.EqualTo(MemoryFlags.Write));
        Assert.That(error.Permitted, Is.EqualTo(MemoryFlags.Read | MemoryFlags.Execute));
        Assert.That(error.InnerException, Is.Null);
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(Content(5000)));
    }

    [Test]
    public void Copy_on_write_is_the_guests_own()
    {
        string path = _files.New("model", 8192);
        MultiUseSandbox other = Build(b => b.WithFileMapping(path, Address));
        Sandbox.MapFile(path, Address);
        Sandbox.Call("MapPhysical", Address, 8192UL);
        other.Call("MapPhysical", Address, 8192UL);

        Sandbox.Call("Poke", Address + 4096, Mark);

        Assert.That(Sandbox.Call<ulong>("Peek", Address + 4096), Is.EqualTo(Mark));
        Assert.That(Sandbox.Call<ulong>("Peek", Address + 4104), Is.EqualTo(Word(4104)), "the rest of the page was copied");
        Assert.That(Sandbox.Call<ulong>("Peek", Address), Is.EqualTo(Word(0)));
        Assert.That(other.Call<ulong>("Peek", Address + 4096), Is.EqualTo(Word(4096)));
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(Content(8192)));
    }

    [Test]
    public void Files_given_before_evolution_are_there_for_the_first_call()
    {
        using UninitializedSandbox sandbox = Target.Builder().BuildUninitialized();
        sandbox.MapFile(_files.New("a", 100), Address);
        sandbox.MapFile(_files.New("b", [1, 2, 3, 4, 5, 6, 7, 8]), Address + 0x1000);

        using MultiUseSandbox running = sandbox.Evolve();

        Assert.That(running.Mappings.Select(m => m.Label), Is.EqualTo(new[] { "a", "b" }));
        Assert.That(running.Call<ulong>("MapAndRead", Address), Is.EqualTo(Word(0)));
        Assert.That(running.Call<ulong>("MapAndRead", Address + 0x1000), Is.EqualTo(0x0807_0605_0403_0201));
    }

    [Test]
    public void The_guest_finds_mappings_by_label_if_it_is_configured()
    {
        string path = _files.New("model.bin", 5000);
        MultiUseSandbox sandbox = Build(b => b
            .WithConfiguration(new SandboxConfiguration { FileMappingTable = true })
            .WithFileMapping(path, Address));

        Assert.That(sandbox.Call<ulong>("FindMapping", "model.bin"), Is.EqualTo(Address));
        Assert.That(sandbox.Call<ulong>("FindMappingSize", "model.bin"), Is.EqualTo(8192));
        Assert.That(sandbox.Call<ulong>("FindMapping", "other"), Is.Zero);
        sandbox.MapFile(path, Address + 0x10_0000, "other");
        Assert.That(sandbox.Call<ulong>("FindMapping", "other"), Is.EqualTo(Address + 0x10_0000));
        sandbox.UnmapFile(Address);
        Assert.That(sandbox.Call<ulong>("FindMapping", "model.bin"), Is.Zero);
        Assert.That(sandbox.Call<ulong>("FindMapping", "other"), Is.EqualTo(Address + 0x10_0000));
    }

    [Test]
    public void Without_the_configuration_the_guest_finds_nothing()
    {
        Sandbox.MapFile(_files.New("model.bin", 5000), Address);

        Assert.That(Sandbox.Call<ulong>("FindMapping", "model.bin"), Is.Zero);
    }

    [Test]
    [Platform("Linux", Reason = "Reads how much memory is resident from /proc.")]
    public void A_large_file_costs_nothing_until_it_is_read()
    {
        NeedsMappingsOfLittleCost();
        const long Size = (3L << 30) + 5000;
        string path = _files.NewSparse("large", Size, (0, Mark), (Size - 8, ~Mark));
        Build(b => b.WithFileMapping(path, Address)).Dispose();
        ProcessResources before = ProcessResources.CountAfterCollection();

        var clock = Stopwatch.StartNew();
        MultiUseSandbox sandbox = Build(b => b.WithFileMapping(path, Address));
        TimeSpan deferred = clock.Elapsed;
        clock.Restart();
        Sandbox.MapFile(path, Address);
        TimeSpan mapping = clock.Elapsed;
        long mapped = ProcessResources.Count().ResidentKilobytes - before.ResidentKilobytes;
        foreach (MultiUseSandbox reader in new[] { sandbox, Sandbox })
        {
            Assert.That(reader.Call<ulong>("MapAndRead", Address), Is.EqualTo(Mark));
            Assert.That(reader.Call<ulong>("MapAndRead", Address + (ulong)Size - 8), Is.EqualTo(~Mark));
            Assert.That(reader.Call<ulong>("MapAndRead", Address + (1UL << 31)), Is.Zero);
        }

        // Three pages were read in each, for which the system may read some more of the file ahead.
        long read = ProcessResources.Count().ResidentKilobytes - before.ResidentKilobytes;
        TestContext.Progress.WriteLine(
            $"{Target}: 3 GiB mapped at once in {mapping.TotalMilliseconds:F2} ms, a sandbox with it made in {deferred.TotalMilliseconds:F2} ms, "
            + $"{mapped} KiB more resident, {read} KiB after pages were read");
        Assert.That(mapped, Is.LessThan(16 * 1024));
        Assert.That(read, Is.LessThan(16 * 1024));
    }

    /// <summary>Nothing is read. KVM itself keeps a few bytes of bookkeeping for each page of a slot, which shows from some GiB on.</summary>
    [Test]
    public void The_time_to_map_does_not_depend_on_the_size()
    {
        string small = _files.New("small", 100);
        NeedsMappingsOfLittleCost();
        string large = _files.NewSparse("large", 2L << 30);
        Fastest(small);

        double ofSmall = Fastest(small);
        double limit = (ofSmall * 20) + 5;

        // The machine may be busy with other things: one of the attempts must be fast.
        double ofLarge = double.MaxValue;
        for (long start = Stopwatch.GetTimestamp(); ofLarge >= limit && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30);)
        {
            ofLarge = Math.Min(ofLarge, Fastest(large));
        }

        TestContext.Progress.WriteLine($"{Target}: 100 bytes mapped and unmapped in {ofSmall:F3} ms, 2 GiB in {ofLarge:F3} ms");
        Assert.That(ofLarge, Is.LessThan(limit));
    }

    [Test]
    public void A_file_that_was_shortened_is_a_typed_error_that_names_the_mapping()
    {
        string path = _files.New("model", 0x4000);
        MultiUseSandbox other = Build(_ => { });
        Sandbox.MapFile(_files.New("intact", 0x4000), 0x2000_0000);
        Sandbox.MapFile(path, Address, "weights");
        Assert.That(Read(Address), Is.EqualTo(Word(0)));
        if (CannotBeShortened(path))
        {
            Assert.That(Read(Address + 0x2000), Is.EqualTo(Word(0x2000)));
            return;
        }

        Truncate(path, 0x1000);
        if (Target.CopiesFilesWhenMapped)
        {
            Assert.That(Read(Address + 0x2000), Is.EqualTo(Word(0x2000)), "the copy stays");
            return;
        }

        MemoryAccessViolationException error =
            AssertPoisons<MemoryAccessViolationException>(s => s.Call<ulong>("MapAndRead", Address + 0x2000));

        TestContext.Out.WriteLine(error.Message);
        Assert.That(error.Label, Is.EqualTo("weights"));
        Assert.That(error.Message, Does.Contain("weights"));
        Assert.That(error.InnerException, Is.TypeOf<FileMappingException>());
        Assert.That(((FileMappingException)error.InnerException!).Path, Is.EqualTo(path));
        Assert.That(other.Call<int>("Add", 1, 2), Is.EqualTo(3), "nobody else is affected");
    }

    [Test]
    public void Executing_from_a_file_that_was_shortened_is_the_same_error([Values] bool isUsedBefore)
    {
        string path = _files.New("code", [.. Enumerable.Repeat((byte)0xC3, 0x4000)]);
        Sandbox.MapFile(_files.New("intact", 0x4000), 0x2000_0000);
        Sandbox.MapFile(path, Address, "plugin");
        if (isUsedBefore)
        {
            Sandbox.Call<int>("MapAndExecute", Address);
        }

        if (CannotBeShortened(path))
        {
            Assert.That(() => Sandbox.Call<int>("MapAndExecute", Address + 0x2000), Throws.Nothing);
            return;
        }

        Truncate(path, 0x1000);
        if (Target.CopiesFilesWhenMapped)
        {
            Assert.That(() => Sandbox.Call<int>("MapAndExecute", Address + 0x2000), Throws.Nothing, "the copy stays");
            return;
        }

        MemoryAccessViolationException error =
            AssertPoisons<MemoryAccessViolationException>(s => s.Call<int>("MapAndExecute", Address + 0x2000));

        Assert.That(error.Label, Is.EqualTo("plugin"));
        Assert.That(error.InnerException, Is.TypeOf<FileMappingException>().With.Property(nameof(FileMappingException.Path)).EqualTo(path));
    }

    [Test]
    public void Bytes_that_are_appended_to_the_file_are_not_seen([Values] bool isUsedBefore)
    {
        string path = _files.New("model", 5000);
        Sandbox.MapFile(path, Address);
        if (isUsedBefore)
        {
            Assert.That(Read(Address + 5000), Is.Zero);
        }

        using (FileStream stream = OpenForChange(path))
        {
            stream.Seek(0, SeekOrigin.End);
            stream.Write([.. Enumerable.Repeat((byte)0xAA, 10_000)]);
        }

        Assert.That(Read(Address + 4992), Is.EqualTo(Word(4992)));
        Assert.That(Read(Address + 5000), Is.Zero);
        Assert.That(Read(Address + 8184), Is.Zero);
    }

    [Test]
    public void Pages_that_were_not_used_yet_show_the_files_new_content()
    {
        string path = _files.New("model", 0x4000);
        Sandbox.MapFile(path, Address);
        Assert.That(Read(Address), Is.EqualTo(Word(0)));

        using (FileStream stream = OpenForChange(path))
        {
            stream.Position = 0x2000;
            stream.Write(BitConverter.GetBytes(Mark));
        }

        Assert.That(Read(Address + 0x2000), Is.EqualTo(Target.CopiesFilesWhenMapped ? Word(0x2000) : Mark));
        Assert.That(Read(Address + 0x2008), Is.EqualTo(Word(0x2008)));
    }

    [Test]
    public void A_renamed_or_deleted_file_remains_mapped()
    {
        string path = _files.New("model", 0x2000);
        Sandbox.MapFile(path, Address);

        File.Move(path, path + ".old");
        _files.New("model", [1]);
        Assert.That(Read(Address), Is.EqualTo(Word(0)));
        File.Delete(path + ".old");
        Assert.That(Read(Address + 0x1000), Is.EqualTo(Word(0x1000)));
    }

    [Test]
    public void Unmapped_memory_is_not_accessible()
    {
        Sandbox.MapFile(_files.New("a", 100), Address);
        Assert.That(Read(Address), Is.EqualTo(Word(0)));
        Sandbox.UnmapFile(Address);

        MemoryAccessViolationException error =
            AssertPoisons<MemoryAccessViolationException>(s => s.Call<ulong>("MapAndRead", Address));

        Assert.That(error.Label, Is.Null);
    }

    [Test]
    public void An_address_is_used_again_after_unmapping()
    {
        Sandbox.MapFile(_files.New("a", 100), Address);
        Assert.That(Read(Address), Is.EqualTo(Word(0)));

        Sandbox.UnmapFile(Address);
        Sandbox.MapFile(_files.New("b", BitConverter.GetBytes(Mark)), Address);

        Assert.That(Read(Address), Is.EqualTo(Mark));
    }

    [Test]
    public void A_failed_mapping_does_not_change_the_sandbox()
    {
        string path = _files.New("a", 100);
        Sandbox.MapFile(path, Address);

        Assert.That(() => Sandbox.MapFile(path, Address), Throws.TypeOf<MappingOverlapException>());
        Assert.That(() => Sandbox.MapFile(path, 0x1000), Throws.TypeOf<MappingOverlapException>());
        Assert.That(() => Sandbox.MapFile(path, Address + 1), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Sandbox.MapFile(_files.New("empty", 0), Address * 2), Throws.TypeOf<FileMappingException>());
        Assert.That(() => Sandbox.MapFile(Path.Combine(_files.Directory, "missing"), Address * 2), Throws.TypeOf<FileMappingException>());
        Assert.That(() => Sandbox.MapFile(_files.Directory, Address * 2), Throws.TypeOf<FileMappingException>());

        Assert.That(Sandbox.Mappings, Has.Count.EqualTo(1));
        Assert.That(Read(Address), Is.EqualTo(Word(0)));
        AssertUsable();
    }

    [Test]
    [Platform("Linux", Reason = "Counts descriptors and mappings through /proc.")]
    public void Neither_descriptor_nor_mapping_is_left()
    {
        string path = _files.New("a", 0x3000);
        for (int i = 0; i < 20; i++)
        {
            MultiUseSandbox sandbox = Build(b => b.WithFileMapping(path, Address));
            sandbox.MapFile(path, Address * 2);
            Assert.That(sandbox.Call<ulong>("MapAndRead", Address * 2), Is.EqualTo(Word(0)));
            Assert.That(() => sandbox.MapFile(path, Address), Throws.TypeOf<MappingOverlapException>());
            sandbox.UnmapFile(Address * 2);
            if (i % 2 == 0)
            {
                Assert.That(() => sandbox.Call("MapAndWrite", Address, 1UL), Throws.TypeOf<MemoryAccessViolationException>());
            }

            sandbox.Dispose();
        }

        Assert.That(Directory.GetFiles("/proc/self/fd").Count(IsOurs), Is.Zero);
        Assert.That(File.ReadLines("/proc/self/maps").Count(l => l.Contains(_files.Directory, StringComparison.Ordinal)), Is.Zero);
    }

    [Test]
    public void The_guest_reads_host_memory_and_cannot_write_it()
    {
        Memory<byte> memory = PageAligned(0x2000);
        Content(0x2000).CopyTo(memory);
        using HostMemoryRegion region = HostMemoryRegion.Pin(memory);
        MultiUseSandbox other = Build(_ => { });

        Sandbox.MapRegion(region, Address, label: "shared");
        other.MapRegion(region, Address * 2);

        Assert.That(Read(Address + 0x1FF8), Is.EqualTo(Word(0x1FF8)));
        Assert.That(other.Call<ulong>("MapAndRead", Address * 2), Is.EqualTo(Word(0)));
        MemoryAccessViolationException error =
            AssertPoisons<MemoryAccessViolationException>(s => s.Call("MapAndWrite", Address, 1UL));
        Assert.That(error.Label, Is.EqualTo("shared"));
        Assert.That(error.Permitted, Is.EqualTo(MemoryFlags.Read));
        Assert.That(memory.ToArray(), Is.EqualTo(Content(0x2000)));
    }

    [Test]
    public void Host_memory_is_released_after_its_last_use()
    {
        Memory<byte> memory = PageAligned(0x1000);
        Content(0x1000).CopyTo(memory);
        using System.Buffers.MemoryHandle pin = memory.Pin();
        int released = 0;
        HostMemoryRegion region = HostMemoryRegion.FromPointer(AddressOf(pin), 0x1000, () => released++);
        Sandbox.MapRegion(region, Address);

        region.Dispose();

        Assert.That(Read(Address), Is.EqualTo(Word(0)), "the machine still has it");
        Assert.That(released, Is.Zero);
        Sandbox.UnmapRegion(Address);
        Assert.That(released, Is.EqualTo(1));
    }

    /// <summary>More than the 512 slots that some hypervisors have had; a driver that has no limit takes all of them.</summary>
    [Test]
    public void There_are_as_many_mappings_as_the_hypervisor_has_slots()
    {
        const int Most = 600;
        const int OwnSlots = 2;
        Memory<byte> memory = PageAligned(0x1000);
        Content(0x1000).CopyTo(memory);
        using HostMemoryRegion region = HostMemoryRegion.Pin(memory);
        uint? limit;
        using (IVirtualMachine machine = Target.Hypervisor.CreateVirtualMachine(new VirtualMachineOptions()))
        {
            limit = machine.MemorySlotLimit;
        }

        int mapped = (int)Math.Min(Most, (limit ?? uint.MaxValue) - OwnSlots);
        for (int i = 0; i < mapped; i++)
        {
            Sandbox.MapRegion(region, Address + ((ulong)i * 0x2000));
        }

        Assert.That(Read(Address), Is.EqualTo(Word(0)));
        Assert.That(Read(Address + ((ulong)(mapped - 1) * 0x2000) + 8), Is.EqualTo(Word(8)));
        if (Target.Hypervisor.Name == "emulator")
        {
            Assert.That(limit, Is.Null);
        }

        if (mapped < Most)
        {
            Assert.That(() => Sandbox.MapRegion(region, Address * 2), Throws.TypeOf<MappingLimitException>());
        }
    }

    private void NeedsMappingsOfLittleCost()
    {
        if (Target.CopiesFilesWhenMapped)
        {
            Assert.Ignore($"{Target.Driver} pins the pages of a file when it is mapped: gigabytes of memory.");
        }
    }

    /// <summary>Whether the system refuses to shorten a file that is mapped; then nothing can be missing.</summary>
    private bool CannotBeShortened(string path)
    {
        if (Target.KeepsMappedFilesLong)
        {
            Assert.Throws<IOException>(() => Truncate(path, 0x1000));
        }

        return Target.KeepsMappedFilesLong;
    }

    private static unsafe nint AddressOf(System.Buffers.MemoryHandle pin) => (nint)pin.Pointer;

    private bool IsOurs(string descriptor) =>
        new FileInfo(descriptor).LinkTarget?.StartsWith(_files.Directory, StringComparison.Ordinal) == true;

    private ulong Read(ulong address) => Sandbox.Call<ulong>("MapAndRead", address);

    private double Fastest(string path)
    {
        double fastest = double.MaxValue;
        for (int i = 0; i < 10; i++)
        {
            var clock = Stopwatch.StartNew();
            Sandbox.MapFile(path, Address);
            Sandbox.UnmapFile(Address);
            fastest = Math.Min(fastest, clock.Elapsed.TotalMilliseconds);
        }

        return fastest;
    }
}
