using Hyperlight.Abstractions;
using Hyperlight.Whp;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Tests.Whp;

/// <summary>Sections of files for guests on Windows, over a simulated Windows.</summary>
[TestFixture]
internal sealed unsafe class FileSectionTests
{
    private const string Path = "C:\\file";
    private const ulong GuestAddress = 0x10_0000;

    /// <summary>Whole pages.</summary>
    private static readonly byte[] Content = [.. Enumerable.Range(0, 8192).Select(i => (byte)(i + 1))];

    /// <summary>A file that ends within a page.</summary>
    private static readonly byte[] Odd = Content[..5000];

    [Test]
    public void A_section_has_exactly_the_files_size_and_the_mapping_whole_pages()
    {
        var kernel = new FakeWindowsKernel(Odd);
        using IPreparedMapping mapping = Prepare(kernel, "model");

        GuestMapping guest = mapping.ToGuestMapping();

        Assert.That(kernel.SectionSize, Is.EqualTo(5000));
        Assert.That(mapping.Size, Is.EqualTo((nuint)8192));
        Assert.That(mapping.Label, Is.EqualTo("model"));
        Assert.That(guest.Flags, Is.EqualTo(MemoryFlags.Read | MemoryFlags.Execute));
        Assert.That(guest.Region.Kind, Is.EqualTo(MemoryRegionKind.File));
        Assert.That(kernel.OpenHandles, Is.EqualTo(3), "file, section, and a section for the last page");
        Assert.That(kernel.LiveViews, Is.EqualTo(2));
    }

    [Test]
    public void Odd_is_read_and_the_rest_of_the_last_page_is_zero()
    {
        using FileSectionRegion region = FileSectionRegion.Open(new FakeWindowsKernel(Odd), Path);
        byte[] bytes = new byte[8192];
        Array.Fill(bytes, (byte)0xEE);

        region.Read(0, bytes);

        Assert.That(bytes, Is.EqualTo(Odd.Concat(new byte[3192])));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(8000, new byte[193]));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(nuint.MaxValue, new byte[2]));
        Assert.Throws<NotSupportedException>(() => region.Write(0, [1]));
        Assert.Throws<NotSupportedException>(() => region.Clear(0, 1));
        Assert.Throws<NotSupportedException>(() => region.GetSpan(0, 1));
    }

    [Test]
    public void View_section_and_file_are_released_in_that_order()
    {
        var kernel = new FakeWindowsKernel(Content);
        IPreparedMapping mapping = Prepare(kernel);
        kernel.Journal.Clear();

        mapping.Dispose();
        mapping.Dispose();

        Assert.That(kernel.Journal, Is.EqualTo(new[] { "UnmapViewOfFile", "CloseHandle", "CloseHandle" }));
        Assert.That(mapping.CleanupFailure, Is.Null);
        Assert.Throws<ObjectDisposedException>(() => mapping.Consume());
    }

    [Test]
    public void A_consumed_section_belongs_to_the_machine_and_lives_while_it_is_mapped()
    {
        var kernel = new FakeWindowsKernel(Content);
        IPreparedMapping mapping = Prepare(kernel);
        IMemoryRegion region = mapping.Consume();
        mapping.Dispose();
        bool held = false;
        region.Handle.DangerousAddRef(ref held);

        region.Dispose();

        Assert.That(kernel.LiveViews, Is.EqualTo(1));
        Assert.DoesNotThrow(() => region.Read(0, new byte[10]), "a machine in this process reads the file");
        region.Handle.DangerousRelease();
        Assert.That(kernel.LiveViews + kernel.OpenHandles, Is.Zero);
        Assert.Throws<ObjectDisposedException>(() => region.Read(0, new byte[10]));
        Assert.Throws<InvalidOperationException>(() => mapping.Consume());
    }

    [TestCase(1, "CreateFileW")]
    [TestCase(2, "GetFileSizeEx")]
    [TestCase(3, "CreateFileMappingW")]
    [TestCase(4, "MapViewOfFile")]
    public void A_call_that_fails_is_named_and_leaves_nothing(int failAt, string call)
    {
        var kernel = new FakeWindowsKernel(Content, failAt);

        FileMappingException error = Assert.Throws<FileMappingException>(() => Prepare(kernel))!;

        Assert.That(kernel.FailedCall, Is.EqualTo(call));
        Assert.That(error.Operation, Is.EqualTo($"{call} of '{Path}'"));
        Assert.That(error.ErrorCode, Is.EqualTo(FakeWindowsKernel.AccessDenied));
        Assert.That(kernel.OpenHandles + kernel.LiveViews, Is.Zero);
    }

    [TestCase(5, "UnmapViewOfFile")]
    [TestCase(6, "CloseHandle")]
    [TestCase(7, "CloseHandle")]
    public void A_release_that_fails_is_reported_and_never_thrown(int failAt, string call)
    {
        var kernel = new FakeWindowsKernel(Content, failAt);
        IPreparedMapping mapping = Prepare(kernel);

        Assert.DoesNotThrow(mapping.Dispose);

        Assert.That(mapping.CleanupFailure!.Operation, Is.EqualTo(call));
        Assert.That(kernel.OpenHandles + kernel.LiveViews, Is.Zero, "everything else is released");
    }

    [Test]
    public void Each_call_for_a_file_that_ends_within_a_page_fails_in_turn()
    {
        HashSet<string> failed = [];
        for (int failAt = 1; ; failAt++)
        {
            FakeWindowsKernel kernel = new(Odd, failAt);
            try
            {
                IPreparedMapping mapping = Prepare(kernel);
                mapping.Dispose();
                if (kernel.FailedCall is null)
                {
                    break;
                }

                Assert.That(mapping.CleanupFailure!.Operation, Is.EqualTo(kernel.FailedCall));
            }
            catch (FileMappingException error)
            {
                Assert.That(error.Operation, Is.EqualTo($"{kernel.FailedCall} of '{Path}'"));
                Assert.That(error.ErrorCode, Is.EqualTo(FakeWindowsKernel.AccessDenied));
            }

            Assert.That(kernel.OpenHandles + kernel.LiveViews, Is.Zero, $"after {kernel.FailedCall}, call {failAt}");
            failed.Add(kernel.FailedCall!);
        }

        Assert.That(failed, Is.SupersetOf(["CreateFileMappingW", "MapViewOfFile", "VirtualProtect", "ReadFile", "UnmapViewOfFile", "CloseHandle"]));
    }

    [Test]
    public void A_read_that_fails_is_named()
    {
        using FileSectionRegion region = FileSectionRegion.Open(new FakeWindowsKernel(Content, failAt: 5), Path);

        Assert.That(
            () => region.Read(0, new byte[1]), Throws.TypeOf<FileMappingException>().With.Property("Operation").StartsWith("ReadFile"));
    }

    [Test]
    public void A_file_that_ends_early_is_a_typed_error()
    {
        var kernel = new FakeWindowsKernel(Content);
        using FileSectionRegion region = FileSectionRegion.Open(kernel, Path);
        kernel.Content = Content[..200];

        Assert.DoesNotThrow(() => region.Read(0, new byte[200]));
        Assert.Throws<FileMappingException>(() => region.Read(0, new byte[201]));
    }

    [Test]
    public void Unsuitable_files_are_refused_and_closed()
    {
        var empty = new FakeWindowsKernel([]);
        var pipe = new FakeWindowsKernel(Content) { IsOnDisk = false };

        Assert.That(() => Prepare(empty), Throws.TypeOf<FileMappingException>().With.Message.Contains("empty"));
        Assert.That(() => Prepare(pipe), Throws.TypeOf<FileMappingException>().With.Message.Contains("disk"));
        Assert.That(empty.OpenHandles + pipe.OpenHandles, Is.Zero);
    }

    [Test]
    public void Addresses_and_labels_are_checked_before_anything_is_opened()
    {
        var kernel = new FakeWindowsKernel(Content);
        var whp = Hypervisor(kernel);

        Assert.Throws<ArgumentOutOfRangeException>(() => whp.PrepareFileMapping(Path, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => whp.PrepareFileMapping(Path, 1UL << 36));
        Assert.Throws<ArgumentException>(() => whp.PrepareFileMapping(Path, 0, "a\0b"));
        Assert.Throws<ArgumentException>(() => whp.PrepareFileMapping(Path, 0, new string('a', 64)));
        Assert.That(kernel.Journal, Is.Empty);
        Assert.Throws<ArgumentOutOfRangeException>(() => whp.PrepareFileMapping(Path, (1UL << 36) - 4096));
        Assert.That(kernel.OpenHandles + kernel.LiveViews, Is.Zero);
    }

    [Test]
    public void Another_platform_says_so()
    {
        var whp = Hypervisor(new FakeWindowsKernel(Content) { UnsupportedPlatform = "This is a test, not Windows." });

        Assert.That(
            () => whp.PrepareFileMapping(Path, 0), Throws.TypeOf<HypervisorNotAvailableException>().With.Message.Contains("not Windows"));
    }

    [Test]
    public void The_structures_have_the_sizes_of_64_bit_windows()
    {
        Assert.That(sizeof(SecurityAttributes), Is.EqualTo(24));
        Assert.That(sizeof(SecurityDescriptor), Is.EqualTo(40));
        Assert.That(sizeof(Hyperlight.Whp.Interop.Overlapped), Is.EqualTo(32));
    }

    private static WhpHypervisor Hypervisor(IWindowsKernel kernel) =>
        new(WinHv.Instance, kernel, new WhpOptions(), SurrogateExecutable.DefaultDirectory);

    private static IPreparedMapping Prepare(FakeWindowsKernel kernel, string? label = null) =>
        Hypervisor(kernel).PrepareFileMapping(Path, GuestAddress, label);
}
