using System.Diagnostics;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;
using Hyperlight.Tests.Kvm;

namespace Hyperlight.Tests.Linux;

/// <summary>Reading views of files, also of files that change underneath.</summary>
internal sealed class FileMemoryRegionTests
{
    private string _path = null!;

    [SetUp]
    public void CreateFile()
    {
        RealLinux.Require();
        _path = Path.GetTempFileName();
        File.WriteAllBytes(_path, [.. Enumerable.Range(0, 5000).Select(static i => (byte)(i + 1))]);
    }

    [TearDown]
    public void DeleteFile() => File.Delete(_path ?? string.Empty);

    [Test]
    public void ContentIsReadAndTheRestOfTheLastPageIsZero()
    {
        using FileMemoryRegion region = Open();
        byte[] bytes = new byte[8192];
        Array.Fill(bytes, (byte)0xEE);

        region.Read(0, bytes);

        Assert.That(bytes, Is.EqualTo(File.ReadAllBytes(_path).Concat(new byte[3192])));
    }

    [Test]
    public void RangesThatLeaveTheRegionAreRefused()
    {
        using FileMemoryRegion region = Open();

        Assert.Multiple(() =>
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(8192, new byte[1]));
            Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(8000, new byte[193]));
            Assert.Throws<ArgumentOutOfRangeException>(() => region.Read(nuint.MaxValue, new byte[2]));
            Assert.DoesNotThrow(() => region.Read(8192, []));
        });
    }

    [Test]
    public void NothingCanBeWritten()
    {
        using FileMemoryRegion region = Open();

        Assert.Multiple(() =>
        {
            Assert.Throws<NotSupportedException>(() => region.Write(0, [1]));
            Assert.Throws<NotSupportedException>(() => region.Clear(0, 1));
            Assert.Throws<NotSupportedException>(() => region.GetSpan(0, 1));
        });
    }

    /// <summary>Touching the view itself would end the process by SIGBUS.</summary>
    [Test]
    public void ShortenedFileIsATypedError()
    {
        using FileMemoryRegion region = Open();
        using (FileStream stream = File.OpenWrite(_path))
        {
            stream.SetLength(100);
        }

        byte[] head = new byte[100];
        FileMappingException? error = Assert.Throws<FileMappingException>(() => region.Read(4096, new byte[10]));

        Assert.Multiple(() =>
        {
            Assert.That(error!.Message, Does.Contain("5000").And.Contain(_path));
            Assert.DoesNotThrow(() => region.Read(0, head), "what is left can be read");
            Assert.That(head[99], Is.EqualTo(100));
            Assert.DoesNotThrow(() => region.Read(5000, head), "what was never in the file is zero");
        });
    }

    /// <summary>What the guest sees, before and after the page is used.</summary>
    [Test]
    public unsafe void AppendedBytesAreNotInTheView([Values] bool isUsedBefore)
    {
        using FileMemoryRegion region = Open();
        ReadOnlySpan<byte> lastPage = new((byte*)region.Handle.DangerousGetHandle() + 4096, 4096);
        if (isUsedBefore)
        {
            Assert.That(lastPage[904], Is.Zero);
        }

        File.AppendAllBytes(_path, [.. Enumerable.Repeat((byte)0xAA, 10_000)]);

        Assert.That(lastPage.ToArray(), Is.EqualTo(File.ReadAllBytes(_path).AsSpan(4096, 904).ToArray().Concat(new byte[3192])));
    }

    /// <summary>The pages before the last one are the file's.</summary>
    [TestCase(LibC.PROT_READ, "r--p", "r--p")]
    [TestCase(LibC.PROT_READ | LibC.PROT_WRITE, "rw-p", "rw-p")]
    public void TheCopyOfTheLastPageIsProtectedAsTheFileIs(int protection, string ofFile, string ofCopy)
    {
        using FileMemoryRegion region = FileMemoryRegion.Open(LinuxKernel.Instance, "test", _path, protection);
        nint address = region.Handle.DangerousGetHandle();

        string[] maps = File.ReadAllLines("/proc/self/maps");

        Assert.That(maps, Has.Some.StartsWith($"{address:x}-{address + 4096:x} {ofFile}").And.EndsWith(_path));
        Assert.That(maps, Has.Some.Contains($"-{address + 8192:x} {ofCopy}").Or.StartsWith($"{address + 4096:x}-").And.Contains(ofCopy));
    }

    [Test]
    public void AFileOfWholePagesIsNotCopied()
    {
        File.WriteAllBytes(_path, new byte[8192]);
        using FileMemoryRegion region = Open();
        nint address = region.Handle.DangerousGetHandle();

        Assert.That(File.ReadAllLines("/proc/self/maps"), Has.Some.StartsWith($"{address:x}-{address + 8192:x} r--p").And.EndsWith(_path));
    }

    [Test]
    public void InterruptedAndPartialReadsContinue()
    {
        using FileMemoryRegion region = FileMemoryRegion.Open(new StutteringKernel(), "test", _path, LibC.PROT_READ);
        byte[] bytes = new byte[5000];

        region.Read(0, bytes);

        Assert.That(bytes, Is.EqualTo(File.ReadAllBytes(_path)));
    }

    [Test]
    public void FailedReadIsNamed()
    {
        using FileMemoryRegion region =
            FileMemoryRegion.Open(new FailingKernel(LinuxKernel.Instance, failAt: 7), "test", _path, LibC.PROT_READ);

        FileMappingException? error = Assert.Throws<FileMappingException>(() => region.Read(0, new byte[1]));

        Assert.That(error!.Operation, Does.StartWith("pread"));
    }

    [Test]
    public void DisposedRegionIsRefused()
    {
        FileMemoryRegion region = Open();
        region.Dispose();
        region.Dispose();

        Assert.Throws<ObjectDisposedException>(() => region.Read(0, new byte[1]));
    }

    [Test]
    public void ChildProcessesDoNotInheritTheFile()
    {
        using FileMemoryRegion region = Open();

        using var child = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "ls -l /proc/self/fd"]) { RedirectStandardOutput = true })!;
        string descriptors = child.StandardOutput.ReadToEnd();
        child.WaitForExit();

        Assert.That(child.ExitCode, Is.Zero);
        Assert.That(descriptors, Does.Contain("->").And.Not.Contains(_path));
        Assert.That(
            Directory.GetFiles("/proc/self/fd").Select(static f => File.ResolveLinkTarget(f, false)?.FullName),
            Does.Contain(_path),
            "this process has it open");
    }

    [Test]
    public void FileIsOpenedForReadingWithoutWaitingAndNotForChildProcesses()
    {
        var kernel = new FlagsKernel();

        FileMemoryRegion.Open(kernel, "test", _path, LibC.PROT_READ).Dispose();

        Assert.That(kernel.Flags, Is.EqualTo(LibC.O_RDONLY | LibC.O_CLOEXEC | LibC.O_NONBLOCK));
    }

    private FileMemoryRegion Open() => FileMemoryRegion.Open(LinuxKernel.Instance, "test", _path, LibC.PROT_READ);

    /// <summary>Remembers how a file was opened.</summary>
    private sealed class FlagsKernel() : ForwardingKernel(LinuxKernel.Instance)
    {
        public int Flags { get; private set; }

        public override int Open(string path, int flags)
        {
            Flags = flags;
            return base.Open(path, flags);
        }
    }

    /// <summary>Reads at most 100 bytes at a time, and is interrupted every other time.</summary>
    private sealed class StutteringKernel() : ForwardingKernel(LinuxKernel.Instance)
    {
        private bool _interrupted;

        public override nint ReadAt(int fd, Span<byte> buffer, long offset)
        {
            _interrupted = !_interrupted;
            return _interrupted ? -Errno.EINTR : base.ReadAt(fd, buffer[..Math.Min(buffer.Length, 100)], offset);
        }
    }
}
