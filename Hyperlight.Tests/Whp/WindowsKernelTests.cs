using System.Runtime.InteropServices;
using Hyperlight.Tests.Integration;
using Hyperlight.Whp;
using Hyperlight.Whp.Interop;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Tests.Whp;

/// <summary>What the driver asks of Windows, on a real one or on Wine: surrogate processes, their views, files.</summary>
[TestFixture]
[Platform("Win")]
internal sealed unsafe partial class WindowsKernelTests
{
    private const int SectionSize = 4 * 4096;
    private const uint Free = 0x10000;
    private const uint Synchronize = 0x0010_0000;

    private static readonly WindowsKernel Kernel = WindowsKernel.Instance;

    private TestFiles _files = null!;
    private SurrogateExecutable _executable = null!;
    private ObjectHandle _job = null!;
    private ObjectHandle _process = null!;

    [SetUp]
    public void StartSurrogate()
    {
        _files = new TestFiles();
        _executable = SurrogateExecutable.Open(Kernel, _files.Directory);
        Assert.That(Kernel.CreateJob(out nint job), Is.Zero);
        _job = new ObjectHandle(Kernel, job);
        _process = Start(_executable.Path);
        Assert.That(Kernel.AssignProcessToJob(job, _process.DangerousGetHandle()), Is.Zero);
    }

    [TearDown]
    public void EndSurrogate()
    {
        _ = Kernel.TerminateProcess(_process.DangerousGetHandle());
        Assert.That(() => Kernel.HasEnded(_process.DangerousGetHandle()), Is.True.After(60_000, 10));
        _process.Dispose();
        _job.Dispose();
        _executable.Dispose();

        // A process that has just ended may have its file open for a moment.
        Assert.That(() => _files.Dispose(), Throws.Nothing.After(60_000, 10));
    }

    [Test]
    public void A_surrogate_does_not_run()
    {
        Thread.Sleep(300);
        Assert.That(Kernel.HasEnded(_process.DangerousGetHandle()), Is.False);
    }

    [Test]
    public void The_job_ends_a_surrogate()
    {
        _job.Dispose();

        Assert.That(() => Kernel.HasEnded(_process.DangerousGetHandle()), Is.True.After(60_000, 10));
    }

    [Test]
    public void A_view_in_a_surrogate_shows_the_section_between_pages_without_access()
    {
        using ViewOfSection view = new(this);
        Marshal.WriteInt64(view.Here + 4096, 0x1122_3344_5566_7788);

        Assert.That(Kernel.ProtectInProcess(_process.DangerousGetHandle(), view.There, 4096, Kernel32.PAGE_NOACCESS), Is.Zero);

        Assert.That(ReadSurrogate(view.There + 4096), Is.EqualTo(0x1122_3344_5566_7788));

        // Wine reads memory of another process whatever its protection.
        Assert.That(LookInSurrogate(view.There).Protect, Is.EqualTo(Kernel32.PAGE_NOACCESS));
        Assert.That(LookInSurrogate(view.There + 4096).Protect, Is.EqualTo(Kernel32.PAGE_READWRITE));
        Marshal.WriteInt64(view.Here + 4096, 1);
        Assert.That(ReadSurrogate(view.There + 4096), Is.EqualTo(1));
    }

    [Test]
    public void A_view_that_was_unmapped_in_a_surrogate_is_gone()
    {
        nint there;
        using (ViewOfSection view = new(this))
        {
            there = view.There;
            Assert.That(LookInSurrogate(there).State, Is.Not.EqualTo(Free));
        }

        Assert.That(LookInSurrogate(there).State, Is.EqualTo(Free));
    }

    [Test]
    public void A_pool_ends_its_surrogates()
    {
        WhpOptions options = new(static _ => null) { InitialSurrogates = 3 };
        using SurrogatePool pool = new(Kernel, _files.Directory, options);
        Surrogate surrogate = pool.Rent();
        Assert.That(pool.Count, Is.EqualTo(3));
        Assert.That(surrogate.HasEnded, Is.False);
        using SafeProcessHandle process = OpenProcess(Synchronize, 0, surrogate.Id);
        Assert.That(process.IsInvalid, Is.False);
        pool.Return(surrogate);

        pool.Dispose();

        Assert.That(() => Kernel.HasEnded(process.DangerousGetHandle()), Is.True.After(60_000, 10));
    }

    [Test]
    public void A_surrogate_that_was_ended_from_outside_is_replaced()
    {
        using SurrogatePool pool = new(Kernel, _files.Directory, new WhpOptions(static _ => null));
        Surrogate first = pool.Rent();
        Assert.That(Kernel.TerminateProcess(first.Process.DangerousGetHandle()), Is.Zero);
        Assert.That(() => first.HasEnded, Is.True.After(60_000, 10));
        pool.Return(first);

        Surrogate second = pool.Rent();

        Assert.That(second.Id, Is.Not.EqualTo(first.Id));
        Assert.That(second.HasEnded, Is.False);
        pool.Return(second);
    }

    [Test]
    public void A_program_that_is_open_cannot_be_changed_or_deleted()
    {
        Assert.Throws<IOException>(() => File.WriteAllBytes(_executable.Path, [1]));
        Assert.Throws<IOException>(() => File.Delete(_executable.Path));
        Assert.Throws<IOException>(() => File.Move(_executable.Path, _executable.Path + ".old"));
        Assert.That(File.ReadAllBytes(_executable.Path), Is.EqualTo(SurrogateExecutable.Content.ToArray()));
    }

    [Test]
    public void Programs_that_write_the_file_at_the_same_time_get_it()
    {
        string directory = Path.Combine(_files.Directory, "shared");
        Parallel.For(0, 16, _ =>
        {
            using SurrogateExecutable executable = SurrogateExecutable.Open(Kernel, directory);
            Assert.That(File.ReadAllBytes(executable.Path), Is.EqualTo(SurrogateExecutable.Content.ToArray()));
        });

        Assert.That(Directory.GetFiles(directory), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_file_that_is_mapped_cannot_be_shortened_and_its_last_page_shows_nothing_that_is_appended()
    {
        string path = _files.New("file", 5000);
        using (FileSectionRegion region = FileSectionRegion.Open(Kernel, path))
        {
            Assert.Throws<IOException>(() => TestFiles.Truncate(path, 10));
            using (FileStream stream = TestFiles.OpenForChange(path))
            {
                stream.Seek(0, SeekOrigin.End);
                stream.Write([.. Enumerable.Repeat((byte)0xAA, 5000)]);
            }

            Assert.That(Marshal.ReadByte(region.LastPage!.Handle.DangerousGetHandle(), 5000 - 4096), Is.Zero);
            Assert.That(Marshal.ReadByte(region.LastPage.Handle.DangerousGetHandle()), Is.EqualTo(TestFiles.Content(5000)[4096]));
            byte[] read = new byte[8192];
            region.Read(0, read);
            Assert.That(read, Is.EqualTo(TestFiles.Content(5000).Concat(new byte[3192])));
        }

        TestFiles.Truncate(path, 10);
    }

    [Test]
    public void A_section_of_a_file_can_be_mapped_into_a_surrogate()
    {
        using FileSectionRegion region = FileSectionRegion.Open(Kernel, _files.New("file", 8192));
        nint process = _process.DangerousGetHandle();

        Assert.That(
            Kernel.MapViewInProcess(region.Section.DangerousGetHandle(), process, Kernel32.PAGE_READONLY, out nint there), Is.Zero);

        Assert.That(ReadSurrogate(there + 4096), Is.EqualTo((long)TestFiles.Word(4096)));
        Assert.That(Kernel.UnmapViewInProcess(process, there), Is.Zero);
        Assert.That(
            Kernel.MapViewInProcess(region.Section.DangerousGetHandle(), process, Kernel32.PAGE_READWRITE, out _), Is.Not.Zero);
    }

    private static ObjectHandle Start(string path)
    {
        Assert.That(Kernel.CreateSuspendedProcess(path, out nint process, out _), Is.Zero);
        return new ObjectHandle(Kernel, process);
    }

    private long? ReadSurrogate(nint address)
    {
        // SAFETY: locals of the call's types; the size is that of the first.
        long value;
        nuint read;
        return ReadProcessMemory(_process.DangerousGetHandle(), address, &value, sizeof(long), &read) != 0 ? value : null;
    }

    private MemoryBasicInformation LookInSurrogate(nint address)
    {
        // SAFETY: a local of the call's type and size.
        MemoryBasicInformation information;
        Assert.That(
            VirtualQueryEx(_process.DangerousGetHandle(), address, &information, (nuint)sizeof(MemoryBasicInformation)),
            Is.EqualTo((nuint)sizeof(MemoryBasicInformation)));
        return information;
    }


    [LibraryImport("kernel32")]
    private static partial int ReadProcessMemory(nint process, nint address, void* buffer, nuint size, nuint* read);

    [LibraryImport("kernel32")]
    private static partial nuint VirtualQueryEx(nint process, nint address, MemoryBasicInformation* information, nuint size);

    [LibraryImport("kernel32")]
    private static partial SafeProcessHandle OpenProcess(uint access, int inherits, uint id);

    /// <summary>MEMORY_BASIC_INFORMATION of 64-bit Windows.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MemoryBasicInformation
    {
        public nint BaseAddress;
        public nint AllocationBase;
        public uint AllocationProtect;
        public ushort PartitionId;
        public nuint RegionSize;
        public uint State;
        public uint Protect;
        public uint Type;
    }

    /// <summary>A section of memory with a view in this process and one in the surrogate.</summary>
    private sealed class ViewOfSection : IDisposable
    {
        private readonly WindowsKernelTests _test;
        private readonly nint _section;

        public ViewOfSection(WindowsKernelTests test)
        {
            _test = test;
            Assert.That(Kernel.CreateMemorySection(SectionSize, out _section), Is.Zero);
            Assert.That(Kernel.MapWritableView(_section, out nint here), Is.Zero);
            Assert.That(
                Kernel.MapViewInProcess(_section, test._process.DangerousGetHandle(), Kernel32.PAGE_READWRITE, out nint there), Is.Zero);
            Here = here;
            There = there;
        }

        public nint Here { get; }

        public nint There { get; }

        public void Dispose()
        {
            Assert.That(Kernel.UnmapViewInProcess(_test._process.DangerousGetHandle(), There), Is.Zero);
            Assert.That(Kernel.UnmapView(Here), Is.Zero);
            Assert.That(Kernel.CloseHandle(_section), Is.Zero);
        }
    }
}
