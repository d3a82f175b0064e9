using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;
using Hyperlight.Tests.Kvm;

namespace Hyperlight.Tests.Linux;

/// <summary>Files on their way into a guest, on the machine's own kernel.</summary>
internal sealed partial class LinuxFileMappingTests
{
    private const ulong GuestAddress = 0x10_0000;
    private string _directory = null!;

    [SetUp]
    public void CreateDirectory()
    {
        RealLinux.Require();
        _directory = Directory.CreateTempSubdirectory("hyperlight-").FullName;
    }

    [TearDown]
    public void DeleteDirectory()
    {
        if (_directory is not null)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [Test]
    public void MappingDescribesItself()
    {
        using PreparedMapping mapping = Open(NewFile("model.bin", 5000), GuestAddress);

        GuestMapping guest = mapping.ToGuestMapping();

        Assert.Multiple(() =>
        {
            Assert.That(mapping.GuestAddress, Is.EqualTo(GuestAddress));
            Assert.That(mapping.Size, Is.EqualTo((nuint)8192), "rounded up to a page");
            Assert.That(mapping.Label, Is.EqualTo("model.bin"));
            Assert.That(mapping.IsConsumed, Is.False);
            Assert.That(guest.GuestAddress, Is.EqualTo(GuestAddress));
            Assert.That(guest.Size, Is.EqualTo((nuint)8192));
            Assert.That(guest.Flags, Is.EqualTo(MemoryFlags.Read | MemoryFlags.Execute));
            Assert.That(guest.Region.Kind, Is.EqualTo(MemoryRegionKind.File));
            Assert.DoesNotThrow(guest.Validate);
        });
    }

    [Test]
    public void ConsumptionHandsTheRegionOverOnce()
    {
        PreparedMapping mapping = Open(NewFile("file", 10), GuestAddress);

        using IMemoryRegion region = mapping.Consume();
        mapping.Dispose();

        Assert.Multiple(() =>
        {
            Assert.That(mapping.IsConsumed, Is.True);
            Assert.DoesNotThrow(() => region.Read(0, new byte[1]), "the region belongs to its new owner");
            Assert.That(() => mapping.Consume(), Throws.InvalidOperationException.With.Message.Contains("consumed"));
            Assert.That(() => mapping.ToGuestMapping(), Throws.InvalidOperationException.With.Message.Contains("consumed"));
        });
    }

    [Test]
    public void DisposedMappingSaysSo()
    {
        PreparedMapping mapping = Open(NewFile("file", 10), GuestAddress);
        IMemoryRegion region = mapping.ToGuestMapping().Region;

        mapping.Dispose();
        mapping.Dispose();

        Assert.Multiple(() =>
        {
            Assert.That(mapping.IsConsumed, Is.False);
            Assert.Throws<ObjectDisposedException>(() => mapping.Consume());
            Assert.Throws<ObjectDisposedException>(() => mapping.ToGuestMapping());
            Assert.Throws<ObjectDisposedException>(() => region.Read(0, new byte[1]));
        });
    }

    [Test]
    public void OfManyConsumersExactlyOneWins()
    {
        string path = NewFile("file", 10);
        for (int i = 0; i < 50; i++)
        {
            PreparedMapping mapping = Open(path, GuestAddress);
            int won = 0;
            Parallel.For(0, 4, n =>
            {
                try
                {
                    if (n == 0)
                    {
                        mapping.Dispose();
                    }
                    else
                    {
                        mapping.Consume().Dispose();
                        Interlocked.Increment(ref won);
                    }
                }
                catch (InvalidOperationException)
                {
                    // ObjectDisposedException is one of these.
                }
            });
            Assert.That(won, Is.EqualTo(mapping.IsConsumed ? 1 : 0));
        }

        Assert.That(DescriptorsOf(path), Is.Zero);
    }

    [Test]
    public void NothingStaysOpen()
    {
        string path = NewFile("file", 10);

        Open(path, GuestAddress).Dispose();
        Open(path, GuestAddress).Consume().Dispose();
        Assert.Throws<ArgumentOutOfRangeException>(() => Open(NewSparseFile("large", 1L << 36), GuestAddress));

        Assert.Multiple(() =>
        {
            Assert.That(DescriptorsOf(_directory), Is.Zero);
            Assert.That(File.ReadLines("/proc/self/maps").Count(line => line.Contains(_directory, StringComparison.Ordinal)), Is.Zero);
        });
    }

    [Test]
    public void AddressesAreCheckedBeforeAnythingIsOpened()
    {
        FakeKvmKernel kernel = new();
        kernel.Files.Add("/file", new FakeFile(new byte[10]));

        Assert.Multiple(() =>
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => Open(kernel, "/file", 1));
            Assert.Throws<ArgumentOutOfRangeException>(() => Open(kernel, "/file", 0xFFF));
            Assert.Throws<ArgumentOutOfRangeException>(() => Open(kernel, "/file", 1ul << 36));
            Assert.Throws<ArgumentOutOfRangeException>(() => Open(kernel, "/file", 0xFFFF_FFFF_FFFF_F000));
            Assert.Throws<ArgumentException>(() => Open(kernel, "/file", 0, "a\0b"));
            Assert.Throws<ArgumentException>(() => Open(kernel, "/file", 0, new string('a', 64)));
            Assert.Throws<ArgumentException>(() => Open(kernel, string.Empty, 0));
            Assert.Throws<ArgumentException>(() => Open(kernel, "/fi\0le", 0));
            Assert.Throws<ArgumentNullException>(() => Open(kernel, null!, 0));
            Assert.That(kernel.Journal, Is.Empty);
        });
    }

    [TestCase(0xF_FFFF_F000ul, 4096, true)]
    [TestCase(0xF_FFFF_F000ul, 4097, false)]
    [TestCase(0xF_FFFF_E000ul, 8192, true)]
    [TestCase(0xF_FFFF_E000ul, 8193, false)]
    public void RangeMustFitGuestPhysicalSpace(ulong address, int length, bool fits)
    {
        string path = NewFile("file", length);
        if (fits)
        {
            Assert.DoesNotThrow(() => Open(path, address).Dispose());
        }
        else
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => Open(path, address));
        }
    }

    [Test]
    public void UnsuitableFilesAreTypedErrors()
    {
        string empty = NewFile("empty", 0);
        string pipe = Path.Combine(_directory, "pipe");
        Assert.That(MakePipe(pipe, 0x180), Is.Zero);

        Assert.Multiple(() =>
        {
            AssertRefused(Path.Combine(_directory, "missing"), "open", Errno.ENOENT, "ENOENT");
            AssertRefused(empty, "mapping", 0, "empty");
            AssertRefused(_directory, "mapping", 0, "not a regular file");
            AssertRefused("/dev/zero", "mapping", 0, "not a regular file");
            AssertRefused(pipe, "mapping", 0, "not a regular file");
        });
        Assert.That(DescriptorsOf(_directory), Is.Zero);
    }

    [TestCase(1, "open")]
    [TestCase(2, "fstat")]
    [TestCase(3, "mmap")]
    [TestCase(4, "mmap")]
    [TestCase(5, "pread")]
    [TestCase(6, "mprotect")]
    public void FailedCallIsNamedAndLeavesNothing(int failAt, string call)
    {
        FakeKvmKernel fake = new();
        fake.Files.Add("/file", new FakeFile(new byte[10]));
        FailingKernel kernel = new(fake, failAt);

        FileMappingException? error = Assert.Throws<FileMappingException>(() => Open(kernel, "/file", 0));

        Assert.Multiple(() =>
        {
            Assert.That(kernel.FailedCall, Is.EqualTo(call));
            Assert.That(error!.Operation, Does.StartWith(call));
            Assert.That(error.Path, Is.EqualTo("/file"));
            Assert.That(error.ErrorCode, Is.EqualTo(Errno.EIO));
            Assert.That(fake.OpenDescriptors, Is.Zero);
            Assert.That(fake.LiveMappings, Is.Zero);
        });
    }

    [Test]
    public void LargeFileCostsNoReading()
    {
        using PreparedMapping mapping = Open(NewSparseFile("large", 8L << 30), 0);

        Assert.That(mapping.Size, Is.EqualTo((nuint)8 << 30));
    }

    private static PreparedMapping Open(string path, ulong address, string? label = null) =>
        Open(LinuxKernel.Instance, path, address, label);

    private static PreparedMapping Open(ILinuxKernel kernel, string path, ulong address, string? label = null) =>
        LinuxFileMapping.Prepare(kernel, "test", path, address, label, LibC.PROT_READ);

    private static void AssertRefused(string path, string operation, int error, string words)
    {
        FileMappingException? refusal = Assert.Throws<FileMappingException>(() => Open(path, GuestAddress));
        Assert.That(refusal!.Operation, Is.EqualTo($"{operation} of '{path}'"));
        Assert.That(refusal.ErrorCode, Is.EqualTo(error));
        Assert.That(refusal.Message, Does.Contain(words));
    }

    private static int DescriptorsOf(string path) => Directory.GetFiles("/proc/self/fd").Count(
        fd => new FileInfo(fd) is { LinkTarget: { } target } && target.StartsWith(path, StringComparison.Ordinal));

    private string NewFile(string name, int length)
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllBytes(path, new byte[length]);
        return path;
    }

    private string NewSparseFile(string name, long length)
    {
        string path = Path.Combine(_directory, name);
        using FileStream stream = File.Create(path);
        stream.SetLength(length);
        return path;
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);
}
